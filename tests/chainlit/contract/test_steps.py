"""Steps and messages: what is handed over comes back, whatever is in it."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import chainlit as cl
from chainlit import socket
from chainlit.step import StepDict
from literalai.observability.generation import ChatGeneration

from chainkeep.chainlit import ChainkeepDataLayer
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import App, Chat, everything_fired, fire, step_dict

FULL: dict[str, Any] = {
    "id": "full",
    "threadId": "thread",
    "parentId": None,
    "type": "tool",
    "name": "search",
    "command": "Search",
    "modes": {"model": "large", "effort": "low"},
    "streaming": False,
    "waitForAnswer": True,
    "isError": True,
    "metadata": {"avatarName": "Bo", "nested": {"list": [1, 2.5, None, True]}},
    "tags": ["a", "b"],
    "input": '{"q": 1}',
    "output": "found",
    "createdAt": "2026-02-03T04:05:06.000007Z",
    "start": "2026-02-03T04:05:06.000008Z",
    "end": "2026-02-03T04:05:07.000009Z",
    "generation": {"type": "CHAT", "tokenCount": 12, "messages": [{"role": "user"}]},
    "showInput": "python",
    "defaultOpen": True,
    "autoCollapse": True,
    "language": "json",
    "icon": "globe",
    "indent": 2,
    "aKeyOfNextYear": {"deep": ["value", 1.5, False, None]},
}


def without(step: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in step.items() if key not in keys}


async def test_every_key_comes_back_with_its_type(app: App):
    await app.layer.create_step(step_dict(**FULL))
    assert without(await app.step("thread", "full"), "feedback") == FULL


async def test_every_key_comes_back_after_an_update_too(app: App):
    await app.layer.create_step(step_dict("full"))
    await app.layer.update_step(step_dict(**FULL))
    assert without(await app.step("thread", "full"), "feedback") == FULL


async def test_an_update_before_any_create_makes_the_step(app: App):
    await app.layer.update_step(step_dict(**FULL))
    assert without(await app.step("thread", "full"), "feedback") == FULL


async def test_every_key_that_chainlit_knows_is_among_those_that_come_back(app: App):
    await app.layer.create_step(step_dict())
    known = set(StepDict.__annotations__) - {"icon"}  # which a step says in its metadata
    assert known <= set(await app.step("thread", "step"))


async def test_flags_are_flags_from_both_databases(app: App):
    flags = ("waitForAnswer", "isError", "defaultOpen", "autoCollapse", "streaming")
    for value in (True, False, None):
        await app.layer.create_step(step_dict(str(value), **dict.fromkeys(flags, value)))
    for value in (True, False):
        stored = await app.step("thread", str(value))
        assert all(stored[flag] is value for flag in flags)
    unset = await app.step("thread", "None")
    assert [unset[flag] for flag in flags] == [None, False, False, False, False]


async def test_show_input_comes_back_as_the_flag_or_the_language_it_was(app: App):
    values = [True, False, None, "json", "true", "false", '"', "", '"true"', "True"]
    for n, value in enumerate(values):
        await app.layer.create_step(step_dict(str(n), showInput=value, input="hidden or not"))
    for n, value in enumerate(values):
        stored = await app.step("thread", str(n))
        assert (type(stored["showInput"]), stored["showInput"]) == (type(value), value)
        assert stored["input"] == "hidden or not"


async def test_what_a_step_says_of_itself_comes_back(app: App):
    with await app.spoken() as chat:
        step = cl.Step(name="tool", type="tool", metadata={"a": 1}, tags=["t"])
        step.icon = "globe"  # an older Chainlit knows none
        step.default_open, step.show_input, step.language = True, False, "json"
        step.generation = ChatGeneration(provider="p", token_count=3)
        async with step:
            step.input, step.output = {"q": "?"}, "answer"
    await everything_fired()
    stored = await app.step(chat.thread_id, step.id)
    said: dict[str, Any] = dict(step.to_dict())
    times = {"createdAt", "start", "end"}
    assert {key: stored[key] for key in said.keys() - times} == without(said, *times)
    assert stored["createdAt"] <= stored["start"] <= stored["end"]


async def test_what_a_message_says_of_itself_comes_back(app: App):
    with await app.spoken() as chat:
        message = cl.Message(
            "hello",
            author="Bo",
            language="markdown",
            metadata={"favorite": False},
            tags=["t"],
            command="Search",
            modes={"model": "large"},
        )
        await message.send()
    await everything_fired()
    stored = await app.step(chat.thread_id, message.id)
    said: dict[str, Any] = dict(message.to_dict())
    times = {"createdAt", "start", "end"}
    assert {key: stored[key] for key in said.keys() - times} == without(said, *times)
    with chat:
        again = cl.Message.from_dict(stored)  # type: ignore[arg-type]
    assert (again.content, again.author, again.modes) == ("hello", "Bo", {"model": "large"})


async def test_an_error_message_stays_an_error(app: App):
    with await app.spoken() as chat:
        message = await cl.ErrorMessage("broken").send()
    await everything_fired()
    assert (await app.step(chat.thread_id, message.id))["isError"] is True


async def test_a_message_that_is_changed_after_it_was_fired_is_kept_as_it_was(app: App):
    step = step_dict(output="first", metadata={"list": [1]}, tags=["t"], modes={"m": "x"})
    task = asyncio.create_task(app.layer.create_step(step))
    await asyncio.sleep(0)
    step["output"] = "second"
    step["metadata"]["list"].append(2)
    step["tags"].append("u")
    step["modes"]["m"] = "y"
    await task
    stored = await app.step("thread", "step")
    assert (stored["output"], stored["metadata"]) == ("first", {"list": [1]})
    assert (stored["tags"], stored["modes"]) == (["t"], {"m": "x"})


async def test_what_is_handed_over_is_not_changed(app: App):
    step = step_dict(showInput=True, metadata={"a": float("nan")}, extra={"b"})
    before = {**step, "metadata": dict(step["metadata"])}
    await app.layer.create_step(step)
    await app.layer.update_step(step)
    assert repr(step) == repr(before)


async def test_a_create_that_comes_after_the_update_does_not_undo_it(app: App):
    await app.layer.update_step(step_dict(output="final", end="2026-01-01T00:00:00.000000Z"))
    await app.layer.create_step(step_dict(output="", input="question"))
    stored = await app.step("thread", "step")
    assert (stored["output"], stored["end"]) == ("final", "2026-01-01T00:00:00.000000Z")


async def test_a_create_never_undoes_an_update_in_whatever_order_the_tasks_run(app: App):
    orders = list(itertools.permutations("cuCU"))
    for n, order in enumerate(orders):
        calls = {
            "c": app.layer.create_step(step_dict(f"a{n}", output="", name="new")),
            "u": app.layer.update_step(step_dict(f"a{n}", output="final", name="done")),
            "C": app.layer.create_step(step_dict(f"b{n}", output="")),
            "U": app.layer.update_step(step_dict(f"b{n}", output="final too")),
        }
        for call in order:
            fire(calls[call])
    await everything_fired()
    stored = {step["id"]: step for step in await app.steps("thread")}
    for n in range(len(orders)):
        assert (stored[f"a{n}"]["output"], stored[f"a{n}"]["name"]) == ("final", "done")
        assert stored[f"b{n}"]["output"] == "final too"


async def test_a_create_and_an_update_by_two_processes_leave_what_the_update_wrote(
    app: App, make_layer: MakeLayer
):
    other = make_layer()
    for n in range(20):
        fire(app.layer.create_step(step_dict(str(n), output="")))
        fire(other.update_step(step_dict(str(n), output="final")))
    await everything_fired()
    assert await app.outputs("thread") == ["final"] * 20


async def test_of_many_updates_the_last_counts(app: App):
    for n in range(40):
        fire(app.layer.update_step(step_dict(output=str(n))))
    await everything_fired()
    assert await app.outputs("thread") == ["39"]


async def test_the_same_create_twice_makes_one_step(app: App):
    await asyncio.gather(*(app.layer.create_step(step_dict(output="once")) for _ in range(5)))
    assert await app.outputs("thread") == ["once"]


async def test_what_an_update_clears_is_cleared(app: App):
    cleared: dict[str, Any] = {
        "parentId": None, "name": "", "input": "", "output": "", "metadata": {}, "tags": [],
        "modes": None, "generation": None, "command": None, "language": None, "isError": False,
        "waitForAnswer": False, "defaultOpen": False, "autoCollapse": False, "showInput": False,
        "start": None, "end": None,
    }  # fmt: skip
    await app.layer.create_step(step_dict(**FULL))
    await app.layer.update_step(step_dict("full", **cleared))
    stored = await app.step("thread", "full")
    assert {key: stored[key] for key in cleared} == cleared


async def test_tags_may_be_taken_away_altogether(app: App):
    await app.layer.create_step(step_dict(tags=["a"]))
    await app.layer.update_step(step_dict(tags=None))
    assert (await app.step("thread", "step"))["tags"] is None


async def test_an_update_of_one_key_leaves_the_others(app: App):
    changes: dict[str, Any] = dict.fromkeys(
        FULL.keys() - {"id", "threadId", "streaming", "parentId"}
    )
    changes |= {"type": "llm", "createdAt": "2026-02-03T04:05:06.999999Z"}
    for key, value in changes.items():
        await app.layer.create_step(step_dict(**{**FULL, "id": key}))
        change: Any = {"id": key, "threadId": "thread", key: value}
        await app.layer.update_step(change)
    for step in await app.steps("thread"):
        unchanged = without(step, "id", step["id"], "feedback")
        assert unchanged == without(FULL, "id", step["id"])


async def test_an_update_may_be_what_was_read(app: App):
    await app.layer.create_step(step_dict(**FULL))
    read = await app.step("thread", "full")
    read["createdAt"] += "Z"  # as Chainlit does before it stars a message
    read["output"] = "edited"
    await app.layer.update_step(read)  # type: ignore[arg-type]
    stored = await app.step("thread", "full")
    assert without(stored, "feedback") == {**FULL, "output": "edited"}


async def test_a_step_whose_type_is_missing_has_one(app: App):
    await app.layer.create_step({"id": "step", "threadId": "thread"})
    await app.layer.create_step({"id": "none", "threadId": "thread", "type": None})  # type: ignore[typeddict-item]
    assert [step["type"] for step in await app.steps("thread")] == ["undefined"] * 2


async def test_text_that_is_none_is_empty_text(app: App):
    await app.layer.create_step(step_dict(name=None, input=None, output=None, metadata=None))
    stored = await app.step("thread", "step")
    assert [stored[key] for key in ("name", "input", "output", "metadata")] == ["", "", "", {}]


async def test_metadata_given_as_its_json_comes_back_as_an_object(app: App):
    await app.layer.create_step(step_dict(metadata='{"favorite": true}'))
    assert (await app.step("thread", "step"))["metadata"] == {"favorite": True}


async def test_a_step_that_names_no_thread_belongs_to_the_chat(app: App):
    with await app.spoken() as chat:
        await app.layer.create_step({"id": "own", "type": "run", "output": "here"})
    assert (await app.step(chat.thread_id, "own"))["threadId"] == chat.thread_id


async def test_a_step_can_be_written_outside_any_chat(layer: ChainkeepDataLayer):
    await layer.create_step(step_dict(output="by a cron job"))
    thread = await layer.get_thread("thread")
    assert thread is not None
    assert [step["output"] for step in thread["steps"]] == ["by a cron job"]


async def test_what_a_caller_does_to_a_step_is_not_kept(app: App):
    await app.layer.create_step(step_dict(**FULL))
    first = await app.step("thread", "full")
    first["metadata"]["nested"]["list"].clear()
    first["aKeyOfNextYear"].clear()
    first["tags"].append("mine")
    assert without(await app.step("thread", "full"), "feedback") == FULL


async def test_a_chat_of_many_steps_comes_back_whole(app: App):
    chat = await app.spoken(text="count")
    with chat:
        for n in range(150):
            await cl.Message(str(n)).send()
    await everything_fired()
    assert await app.outputs(chat.thread_id) == ["count", *map(str, range(150))]


async def test_a_message_that_was_edited_on_the_page_is_kept_edited(app: App):
    chat: Chat = await app.chat()
    message_id = await chat.say("first")
    with await chat.settled():
        await cl.Message("answer").send()
    await everything_fired()
    payload: Any = {"message": {"id": message_id, "output": "second"}}
    await asyncio.create_task(socket.edit_message(chat.session.socket_id, payload))
    await everything_fired()
    assert await app.outputs(chat.thread_id) == ["second"]
