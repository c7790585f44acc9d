"""What an app says before its user does is kept back, and then follows in the order it was said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import chainlit as cl

from tests.chainlit.contract.chats import App, everything_fired, fire, in_slack, step_dict


async def test_a_chat_in_which_nobody_spoke_is_no_thread(app: App):
    chat = await app.chat()
    with chat:
        await cl.Message("hello").send()
        await cl.TaskList().send()
        await cl.Text(name="note", content="n").send(for_id="x")
    await everything_fired()
    await chat.disconnect()
    assert await app.layer.get_thread(chat.thread_id) is None
    assert await app.listed() == []
    assert await app.blob_keys() == []


async def test_what_was_said_before_the_first_message_follows_it(app: App):
    chat = await app.chat()
    with chat:
        greeting = await cl.Message("hello").send()
        greeting.content = "hello, alice"
        await greeting.update()
        await cl.Text(name="note", content="read me").send(for_id=greeting.id)
        async with cl.Step(name="setup", type="tool") as step:
            step.output = "ready"
    assert await app.layer.get_thread(chat.thread_id) is None
    await chat.say("hi")
    await chat.settled()
    assert await app.outputs(chat.thread_id) == ["hello, alice", "ready", "hi"]
    note = (await app.elements(chat.thread_id))["note"]
    assert note["forId"] == greeting.id
    assert await app.bytes_of(chat.thread_id, note["id"]) == b"read me"


async def test_what_was_kept_back_goes_ahead_of_what_comes_live(app: App):
    chat = await app.chat()
    with chat:
        for n in range(10):
            fire(app.layer.update_step(step_dict("a", "", output=str(n))))
        await asyncio.sleep(0)
        chat.session.has_first_interaction = True
        # Chainlit has not begun to play its queues back, and the app goes on.
        fire(app.layer.update_step(step_dict("a", "", output="live")))
        await asyncio.sleep(0)
        await chat.session.flush_method_queue()
    await everything_fired()
    assert await app.outputs(chat.thread_id) == ["live"]


async def test_the_answer_to_a_question_before_the_first_message_is_not_undone(app: App):
    chat = await app.chat()
    actions = [cl.Action(name="pick", payload={}, label="A")]
    for _ in range(5):
        chat.answers.append({"id": actions[0].id, "name": "pick", "label": "A"})
    with chat:
        await cl.AskActionMessage("pick one", actions=actions).send()
    await everything_fired()
    [question] = await app.steps(chat.thread_id)
    assert (question["output"], question["waitForAnswer"]) == ("**Selected:** A", False)
    assert (await app.thread(chat.thread_id))["name"] == "pick"


async def test_a_component_that_asked_before_the_first_message_is_gone_with_its_answer(app: App):
    chat = await app.chat()
    chat.answers.append({"submitted": True})
    with chat:
        form = cl.CustomElement(name="form", props={"field": 1})
        await cl.AskElementMessage("fill in", element=form).send()
    await everything_fired()
    assert await app.outputs(chat.thread_id) == ["Thanks for submitting"]
    assert await app.elements(chat.thread_id) == {}


async def test_an_element_sent_taken_back_and_sent_again_is_there(app: App):
    chat = await app.chat()
    with chat:
        tasks = cl.TaskList(name="tasks", status="first")
        await tasks.send()
        await tasks.remove()
        tasks.status = "second"
        await tasks.send()
        component = cl.CustomElement(name="component")
        await component.send(for_id="x")
        await component.remove()
    await chat.say("hi")
    await chat.settled()
    elements = await app.elements(chat.thread_id)
    assert list(elements) == ["tasks"]
    assert b"second" in await app.bytes_of(chat.thread_id, elements["tasks"]["id"])


async def test_a_message_taken_back_before_the_first_message_stays_away(app: App):
    chat = await app.chat()
    with chat:
        message = await cl.Message("oops").send()
        await message.remove()
    await chat.say("hi")
    await chat.settled()
    assert await app.outputs(chat.thread_id) == ["hi"]


async def test_what_was_kept_back_is_what_it_was_when_it_was_said(app: App):
    chat = await app.chat()
    with chat:
        step = step_dict("a", "", output="as said", metadata={"n": [1]})
        await app.layer.create_step(step)
        step["output"] = "changed since"
        step["metadata"]["n"].append(2)
        text = cl.Text(name="note", content="as sent")
        await text.send(for_id="a")
        text.content = "changed since"
    await chat.say("hi")
    await chat.settled()
    stored = await app.step(chat.thread_id, "a")
    assert (stored["output"], stored["metadata"]) == ("as said", {"n": [1]})
    assert await app.bytes_of(chat.thread_id, text.id) == b"as sent"


async def test_a_file_that_is_gone_by_the_first_message_is_kept_all_the_same(
    app: App, tmp_path: Path
):
    report = tmp_path / "report.csv"
    report.write_text("a,b\n1,2\n")
    chat = await app.chat()
    with chat:
        element = cl.File(name="report.csv", path=str(report))
        await element.send(for_id="x")
    report.unlink()
    await chat.say("hi")
    await chat.settled()
    assert await app.bytes_of(chat.thread_id, element.id) == b"a,b\n1,2\n"


async def test_two_chats_keep_back_what_is_theirs(app: App):
    silent, speaking = await app.chat("alice"), await app.chat("bob")
    with silent:
        await cl.Message("for alice").send()
    with speaking:
        await cl.Message("for bob").send()
    await speaking.say("hi")
    await speaking.settled()
    assert await app.outputs(speaking.thread_id) == ["for bob", "hi"]
    assert await app.layer.get_thread(silent.thread_id) is None


async def test_a_write_that_fails_does_not_take_those_kept_back_with_it(app: App):
    taken = await app.spoken("bob")
    await app.layer.create_step(step_dict("taken", taken.thread_id, output="bob's"))
    chat = await app.chat()
    with chat:
        await app.layer.create_step(step_dict("before", ""))
        await app.layer.create_step(step_dict("taken", ""))
        await app.layer.create_step(step_dict("after", ""))
    await chat.say("hi")
    await chat.settled()
    ids = [step["id"] for step in await app.steps(chat.thread_id)]
    assert {"before", "after"} <= set(ids)
    assert "taken" not in ids
    assert (await app.step(taken.thread_id, "taken"))["output"] == "bob's"


async def test_a_chat_platform_keeps_nothing_back(app: App):
    await in_slack(lambda: app.layer.create_step(step_dict("a", "thread")), "thread")
    assert [step["id"] for step in await app.steps("thread")] == ["a"]
