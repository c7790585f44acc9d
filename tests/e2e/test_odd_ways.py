"""An app may do more to its messages than send them; what is seen last is what is kept."""

from __future__ import annotations

import pytest

from tests.support.socket_client import Account, Chat

pytestmark = pytest.mark.e2e

ANSWERS = {
    "Tea or coffee?": {"name": "tea", "payload": {}, "label": "tea", "tooltip": "", "id": "1"},
    "And your name?": "Carol",
}


async def _opened(account: Account) -> Chat:
    chat = account.chat(answers=ANSWERS)
    await chat.connect()
    await chat.until(lambda: "tea for Carol." in chat.texts())
    return chat


async def _resumed_after(account: Account, way: str) -> Chat:
    chat = await _opened(account)
    await chat.say(way)
    await chat.leave()
    resumed = account.chat(chat.thread_id)
    await resumed.connect()
    await resumed.leave()
    return resumed


async def test_what_was_asked_before_the_first_message_is_kept_as_it_was_answered(carol: Account):
    chat = await _opened(carol)
    await chat.leave()
    async with carol.chat(chat.thread_id) as resumed:
        assert resumed.texts() == [
            "Before we begin:",
            "**Selected:** tea",
            "And your name?",
            "Carol",
            "tea for Carol.",
        ]


async def test_the_last_of_many_updates_is_kept(carol: Account):
    resumed = await _resumed_after(carol, "update")
    assert resumed.texts()[-1] == "version 19"


async def test_a_message_sent_before_it_was_streamed_is_kept_whole(carol: Account):
    resumed = await _resumed_after(carol, "stream")
    assert resumed.texts()[-1] == "streamed"


async def test_a_message_that_was_taken_back_stays_away_with_its_elements(carol: Account):
    resumed = await _resumed_after(carol, "take back")
    assert resumed.texts()[-2:] == ["take back", "Nothing happened."]
    assert not resumed.elements


async def test_nested_steps_come_back_nested(carol: Account):
    resumed = await _resumed_after(carol, "nest")
    [outer] = [run for run in resumed.steps("run") if run["name"] == "outer"]
    assert [(step["name"], step["output"]) for step in outer["steps"]] == [
        ("inner", '{\n    "found": 1\n}'),
        ("Pebble", "from inside"),
    ]


async def test_an_input_that_is_not_to_be_shown_stays_hidden(carol: Account):
    resumed = await _resumed_after(carol, "nest")
    [inner] = resumed.steps("tool")
    assert inner["showInput"] is False


async def test_an_error_is_kept_as_an_error(carol: Account):
    resumed = await _resumed_after(carol, "fail")
    run = resumed.steps("run")[-1]
    assert (run["isError"], run["output"]) == (True, "something broke")


async def test_text_that_no_database_likes_does_not_lose_the_message(carol: Account):
    resumed = await _resumed_after(carol, "odd")
    text = resumed.texts()[-1]
    assert text.startswith("zero ")
    assert text.endswith("all \U0001f41a, quote ' and --")


async def test_tags_and_metadata_come_back(carol: Account):
    resumed = await _resumed_after(carol, "odd")
    message = resumed.steps("assistant_message")[-1]
    assert message["tags"] == ["a", "b"]
    assert message["metadata"]["deep"] == {"list": [1, None, True]}


async def test_a_name_in_the_user_session_is_not_the_title(carol: Account):
    resumed = await _resumed_after(carol, "name")
    [thread] = [t for t in await carol.threads() if t["id"] == resumed.thread_id]
    assert thread["name"] != "Not the title"


async def test_an_element_that_was_exchanged_is_kept_as_its_successor(carol: Account):
    resumed = await _resumed_after(carol, "exchange")
    assert [element["name"] for element in resumed.elements.values()] == ["new"]
