"""Chainlit's tasks arrive in any order; what is read is in one order, and whole."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import chainlit as cl
from chainlit.types import Feedback

from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import App, Chat, as_sent, everything_fired, fire, step_dict

Dict = dict[str, Any]


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02}.000000Z"


def shown(steps: list[Dict]) -> list[str]:
    """The ids of the steps that the page shows: it drops a step whose parent it has not met."""
    met: list[str] = []
    for step in steps:
        if step["parentId"] is None or step["parentId"] in met:
            met.append(step["id"])
    return met


async def write(app: App, *steps: tuple[str, str | None, int]) -> None:
    for id, parent, second in steps:
        await app.layer.create_step(step_dict(id, parentId=parent, createdAt=at(second)))


async def ids(app: App) -> list[str]:
    return [step["id"] for step in await app.steps("thread")]


async def test_parents_come_before_their_children_whatever_the_clock_said(app: App):
    await write(app, ("answer", "run", 1), ("run", "question", 2), ("question", None, 3))
    steps = await app.steps("thread")
    assert [step["id"] for step in steps] == ["question", "run", "answer"]
    assert shown(steps) == ["question", "run", "answer"]


async def test_steps_are_in_the_order_of_their_times_not_of_their_arrival(app: App):
    await write(app, ("c", None, 3), ("a", None, 1), ("b", None, 2))
    assert await ids(app) == ["a", "b", "c"]


async def test_steps_of_the_same_moment_are_in_the_order_of_their_arrival(app: App):
    names = [f"{n:03}" for n in range(30)]
    random.Random(7).shuffle(names)
    await write(app, *((name, None, 1) for name in names))
    await app.layer.update_step(step_dict(names[3], output="updated later"))
    assert await ids(app) == names


async def test_a_step_whose_parent_was_never_written_stands_on_its_own(app: App):
    await write(app, ("answer", "never written", 1), ("below", "answer", 2))
    steps = await app.steps("thread")
    assert [(step["id"], step["parentId"]) for step in steps] == [
        ("answer", None),
        ("below", "answer"),
    ]


async def test_a_step_finds_its_parent_when_that_arrives_late(app: App):
    await write(app, ("answer", "run", 2))
    await write(app, ("run", None, 1))
    assert [step["parentId"] for step in await app.steps("thread")] == [None, "run"]


async def test_a_step_whose_parent_is_in_another_thread_stands_on_its_own(app: App):
    await app.layer.create_step(step_dict("parent", "elsewhere"))
    await write(app, ("child", "parent", 1))
    assert (await app.step("thread", "child"))["parentId"] is None


async def test_steps_in_a_circle_are_all_shown(app: App):
    await write(app, ("a", "b", 1), ("b", "a", 2), ("self", "self", 3), ("below", "a", 4))
    steps = await app.steps("thread")
    assert {step["id"] for step in steps} == {"a", "b", "self", "below"}
    assert set(shown(steps)) == {"a", "b", "self", "below"}


async def test_a_very_deep_thread_comes_back(app: App):
    chain = [(str(n), str(n - 1) if n else None, 1) for n in range(1_050)]
    for step in reversed(chain):
        fire(write(app, step))
    await everything_fired()
    assert await ids(app) == [id for id, *_ in chain]
    await app.layer.delete_step("0")
    assert await ids(app) == []


async def test_a_deleted_step_takes_all_below_it_along(app: App):
    await write(app, ("run", None, 1), ("tool", "run", 2), ("llm", "tool", 3), ("other", None, 4))
    await app.layer.upsert_feedback(Feedback(forId="tool", value=1, threadId="thread"))
    await app.layer.delete_step("run")
    assert await ids(app) == ["other"]


async def test_what_comes_late_below_a_deleted_step_is_not_shown(app: App):
    await write(app, ("run", None, 1))
    await app.layer.delete_step("run")
    await write(app, ("answer", "run", 2), ("below", "answer", 3))
    assert await ids(app) == []


async def test_a_step_does_not_come_back_by_a_late_create_or_update(app: App):
    await write(app, ("step", None, 1))
    await app.layer.delete_step("step")
    await app.layer.create_step(step_dict(output="late"))
    await app.layer.update_step(step_dict(output="later"))
    assert await ids(app) == []
    assert await app.layer.get_step("step") is None


async def test_a_step_deleted_before_its_create_arrived_stays_away(app: App):
    with await app.spoken(text="hi") as chat:
        deletion = asyncio.create_task(app.layer.delete_step("step"))
        creation = asyncio.create_task(app.layer.create_step(step_dict("step", "")))
        update = asyncio.create_task(app.layer.update_step(step_dict("step", "", output="late")))
        await asyncio.gather(deletion, creation, update)
    assert await app.outputs(chat.thread_id) == ["hi"]


async def test_a_thread_does_not_come_back_by_anything_that_is_late(app: App):
    chat = await app.spoken(text="hi")
    with chat:
        message = await cl.Message("answer").send()
    await everything_fired()
    await app.layer.delete_thread(chat.thread_id)
    with chat:
        await cl.Message("late").send()
        await message.update()
        await cl.Text(name="late", content="late").send(for_id=message.id)
        await cl.TaskList(name="late").send()
    await everything_fired()
    await chat.disconnect()
    await app.layer.update_thread(chat.thread_id, name="late", metadata={"is_shared": True})
    assert await app.layer.get_thread(chat.thread_id) is None
    assert await app.layer.get_thread_author(chat.thread_id) == ""
    assert await app.listed() == []
    assert await app.blob_keys() == []


async def test_a_thread_that_is_deleted_while_its_chat_goes_on_stays_deleted(app: App):
    for n in range(10):
        chat = await app.spoken(text="hi")
        with chat:
            for _ in range(n):
                fire(app.layer.create_step(step_dict(f"{n}a{_}", "")))
            fire(app.layer.delete_thread(chat.thread_id))
            for _ in range(10 - n):
                fire(app.layer.create_step(step_dict(f"{n}b{_}", "")))
        await chat.disconnect()
        await everything_fired()
        assert await app.layer.get_thread(chat.thread_id) is None
    assert await app.layer.execute_sql('SELECT "id" FROM steps', {}) == []


async def test_what_a_thread_said_is_gone_from_the_database_when_it_is_deleted(app: App):
    chat = await app.spoken(text="a secret in a message")
    with chat:
        await cl.Message("s", metadata={"a": "a secret in metadata"}).send()
        await cl.CustomElement(name="a secret name", props={"a": "a secret prop"}).send("x")
    await chat.settled()
    await app.layer.update_thread(chat.thread_id, metadata={"a": "a secret in the session"})
    await app.layer.delete_thread(chat.thread_id)
    for table in ("threads", "steps", "elements", "feedbacks"):
        rows = await app.layer.execute_sql(f"SELECT * FROM {table}", {})  # noqa: S608
        assert "secret" not in repr(rows)


async def test_everything_may_arrive_before_its_thread_and_backwards(app: App):
    chat: Chat = await app.chat()
    chat.session.has_first_interaction = True
    with chat:
        element = cl.Text(name="note", content="n", for_id="answer")
        vote = Feedback(forId="answer", value=1, threadId=chat.thread_id)
        calls = [
            app.layer.upsert_feedback(vote),
            app.layer.create_element(element),
            app.layer.create_step(step_dict("answer", "", parentId="run", createdAt=at(3))),
            app.layer.create_step(step_dict("run", "", parentId="question", createdAt=at(2))),
            app.layer.create_step(step_dict("question", "", createdAt=at(1))),
            app.layer.update_thread(chat.thread_id, name="named last"),
        ]
        for call in calls:
            await call
    thread = await app.thread(chat.thread_id)
    assert [step["id"] for step in thread["steps"]] == ["question", "run", "answer"]
    assert thread["steps"][2]["feedback"]["value"] == 1
    assert thread["elements"][0]["forId"] == "answer"
    assert (thread["name"], thread["userIdentifier"]) == ("named last", "alice")


async def test_a_read_sees_what_was_fired_before_it(app: App):
    for n in range(50):
        fire(app.layer.create_step(step_dict(str(n), createdAt=at(1))))
    await asyncio.sleep(0)
    assert await ids(app) == [str(n) for n in range(50)]


async def test_a_thread_can_be_read_while_others_write_to_it(app: App, make_layer: MakeLayer):
    other = make_layer()
    for n in range(60):
        steps = (step_dict(f"run{n}"), step_dict(f"answer{n}", parentId=f"run{n}"))
        for step in steps:
            fire((app.layer, other)[n % 2].create_step(step))
        if n % 10 == 0:
            as_sent(await app.layer.get_thread("thread"))
    await everything_fired()
    assert len(shown(await app.steps("thread"))) == 120
