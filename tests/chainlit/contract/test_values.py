"""Whatever an app puts into its messages and sessions: nothing is lost, and all can be sent."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import chainlit as cl
import pytest
from chainlit.types import Feedback
from chainlit.utils import utc_now
from typing_extensions import override

from tests.chainlit.contract.chats import App, as_sent, everything_fired, step_dict

LONE_SURROGATE = "\ud83d"


class Colour(Enum):
    RED = "red"


class Unprintable:
    @override
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


ODD: dict[str, tuple[Any, Any]] = {
    "nul": ("a\0b", "a\0b"),
    "surrogate": (LONE_SURROGATE, "\ufffd"),
    "noncharacters": ("\ufdd0\ufdd1\ufdd0\ufdd2", "\ufdd0\ufdd1\ufdd0\ufdd2"),
    "nan": (float("nan"), None),
    "infinity": ([float("inf"), -float("inf")], [None, None]),
    "set": ({1}, [1]),
    "tuple": ((1, (2,)), [1, [2]]),
    "bytes": (b"\0\xff", str(b"\0\xff")),
    "datetime": (datetime(2026, 1, 1, tzinfo=timezone.utc), "2026-01-01 00:00:00+00:00"),
    "decimal": (Decimal("1.50"), "1.50"),
    "uuid": (UUID(int=1), str(UUID(int=1))),
    "path": (Path("/a"), "/a"),
    "enum": (Colour.RED, "Colour.RED"),
    "mapping": (MappingProxyType({"a": 1}), {"a": 1}),
    "keys": (
        {2: "a", None: "b", True: "c", (1,): "d"},
        {"2": "a", "null": "b", "true": "c", "(1,)": "d"},
    ),
    "big": (2**200, 2**200),
    "precise": (0.1 + 0.2, 0.1 + 0.2),
    "order": ({"z": 1, "a": 2}, {"z": 1, "a": 2}),
    "text": ("'\"\\%_;--$1:x?\r\n\u2028🐚e\u0301", "'\"\\%_;--$1:x?\r\n\u2028🐚e\u0301"),
}
GIVEN = {name: given for name, (given, _) in ODD.items()}
KEPT = {name: kept for name, (_, kept) in ODD.items()}


async def test_any_value_in_a_steps_metadata_is_kept_as_json(app: App):
    await app.layer.create_step(step_dict(metadata=GIVEN, generation=GIVEN, modes=GIVEN, new=GIVEN))
    stored = await app.step("thread", "step")
    for key in ("metadata", "generation", "modes", "new"):
        assert stored[key] == KEPT
    assert list(stored["metadata"]["order"]) == ["z", "a"]


async def test_any_value_in_an_update_is_kept_as_json(app: App):
    await app.layer.create_step(step_dict())
    await app.layer.update_step(step_dict(metadata=GIVEN, new=GIVEN))
    stored = await app.step("thread", "step")
    assert (stored["metadata"], stored["new"]) == (KEPT, KEPT)


async def test_any_value_in_a_threads_metadata_is_kept_as_json(app: App):
    await app.layer.update_thread("thread", metadata={"all": GIVEN, **GIVEN})
    kept = {key: value for key, value in KEPT.items() if value is not None}
    assert (await app.thread("thread"))["metadata"] == {"all": KEPT, **kept}


async def test_any_value_in_a_users_metadata_is_kept_as_json(app: App):
    created = await app.layer.create_user(cl.User(identifier="alice", metadata=GIVEN))
    assert created is not None
    assert as_sent(created.to_dict())["metadata"] == KEPT


async def test_any_text_is_kept_in_every_field_that_holds_text(app: App):
    text = "".join(value for value in GIVEN.values() if isinstance(value, str))
    kept = text.replace(LONE_SURROGATE, "\ufffd")
    fields = dict.fromkeys(("name", "input", "output", "command", "language", "showInput"), text)
    await app.layer.create_step(step_dict(tags=[text], **fields))
    await app.layer.update_thread("thread", name=text, tags=[text])
    thread = await app.thread("thread")
    assert (thread["name"], thread["tags"]) == (kept, [kept])
    [stored] = thread["steps"]
    assert stored["tags"] == [kept]
    assert {stored[field] for field in fields} == {kept}


async def test_a_value_that_holds_itself_loses_no_step(app: App):
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = loop
    await app.layer.create_step(step_dict(output="kept", metadata=loop))
    assert (await app.step("thread", "step"))["metadata"]["a"] == 1


async def test_a_value_without_words_loses_no_step(app: App):
    await app.layer.create_step(step_dict(output="kept", metadata={"a": 1, "b": Unprintable()}))
    stored = await app.step("thread", "step")
    assert (stored["output"], stored["metadata"]["a"]) == ("kept", 1)


async def test_a_value_nested_very_deep_loses_no_step(app: App):
    deep: list[Any] = []
    for _ in range(5_000):
        deep = [deep]
    await app.layer.create_step(step_dict(output="kept", metadata={"deep": deep}, new=deep))
    assert await app.outputs("thread") == ["kept"]


async def test_values_of_the_wrong_type_lose_no_step(app: App):
    wrong: dict[str, Any] = {
        "parentId": 7, "name": 1, "type": 2, "input": {"a": 1}, "output": ["x"], "tags": "one",
        "metadata": ["no", "object"], "streaming": "yes", "isError": 1, "createdAt": 12,
        "start": "yesterday", "end": {}, "language": 3, "showInput": 4, "defaultOpen": "x",
        "command": {"id": "c"}, "generation": "text", "modes": "text", "waitForAnswer": 0,
    }  # fmt: skip
    await app.layer.create_step(step_dict(**wrong))
    stored = await app.step("thread", "step")
    assert (stored["input"], stored["output"], stored["tags"]) == ('{"a":1}', '["x"]', ["one"])
    assert (stored["metadata"], stored["isError"], stored["waitForAnswer"]) == ({}, True, False)
    assert stored["createdAt"].endswith("Z")


async def test_a_very_long_message_comes_back_whole(app: App):
    text = "🐚x\0" * 700_000
    await app.layer.create_step(step_dict(output=text, name="n" * 100_000))
    stored = await app.step("thread", "step")
    assert stored["output"] == text
    assert len(stored["name"]) == 100_000


ODD_IDS = ["plain", "it's", '"; DROP TABLE steps; --', "a\nb\r\t", "🐚", "nul\0nul", "\0", " "]
ODD_IDS += ["%", "_", "../..", "{}", ":id", "$1", "None", "null", "0", "ÄÖ", "a" * 300 + "/" * 300]
ODD_IDS += ["x" * 10_000]


async def test_any_text_may_be_an_id(app: App):
    for id in ODD_IDS:
        await app.layer.create_step(step_dict(f"step {id}", id, output=id))
        await app.layer.update_step(step_dict(f"child {id}", id, parentId=f"step {id}"))
    for id in ODD_IDS:
        steps = await app.steps(id)
        assert [step["id"] for step in steps] == [f"step {id}", f"child {id}"]
        assert [step["parentId"] for step in steps] == [None, f"step {id}"]
        assert (steps[0]["output"], steps[0]["threadId"]) == (id, id)


async def test_elements_and_votes_may_have_any_text_as_their_id(app: App):
    chat = await app.spoken(thread_id="'🐚\0")
    with chat:
        for n, id in enumerate(ODD_IDS):
            await app.layer.create_step(step_dict(id, chat.thread_id))
            element = cl.Text(id=id, name=str(n), content=id)
            element.for_id = id
            await app.layer.create_element(element)
            await app.layer.upsert_feedback(Feedback(forId=id, value=1, comment=id))
    steps = {step["id"]: step for step in await app.steps(chat.thread_id)}
    elements = await app.elements(chat.thread_id)
    for n, id in enumerate(ODD_IDS):
        assert steps[id]["feedback"]["comment"] == id
        assert (elements[str(n)]["id"], elements[str(n)]["forId"]) == (id, id)
        assert await app.bytes_of(chat.thread_id, id) == id.encode()


async def test_an_id_with_half_a_character_loses_no_step(app: App):
    await app.layer.create_step(step_dict(LONE_SURROGATE, output="kept"))
    assert await app.outputs("thread") == ["kept"]


async def test_one_write_that_the_database_cannot_take_fails_alone(app: App):
    tasks = [
        asyncio.create_task(app.layer.create_step(step_dict(id, output=id)))
        for id in ("before", "".join(chr(0x4E00 + n) for n in range(10_000)), "after")
    ]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] is results[2] is None
    assert {"before", "after"} <= set(await app.outputs("thread"))


# Times

EQUAL = {
    "2026-01-02T03:04:05.678901Z": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05.000000Z",
    "2026-01-02T03:04:05.6Z": "2026-01-02T03:04:05.600000Z",
    "2026-01-02T03:04:05.678901234Z": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05.678901ZZ": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05.678901+00:00Z": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05.678901": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T08:34:05.678901+05:30": "2026-01-02T03:04:05.678901Z",
    "2026-01-01T19:04:05-0800": "2026-01-02T03:04:05.000000Z",
    "2026-01-02 03:04": "2026-01-02T03:04:00.000000Z",
    "2026-01-02": "2026-01-02T00:00:00.000000Z",
}
FORM = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


@pytest.fixture
def _in_kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process is five and a half hours ahead of UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        assert datetime.now().astimezone().utcoffset() == timedelta(hours=5, minutes=30)
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_kolkata")
async def test_times_come_back_in_utc_with_microseconds_wherever_the_process_is(app: App):
    for n, given in enumerate(EQUAL):
        await app.layer.create_step(
            step_dict(str(n), createdAt=given, start=given, end=given, output=given)
        )
    for step in await app.steps("thread"):
        assert {step[key] for key in ("createdAt", "start", "end")} == {EQUAL[step["output"]]}


@pytest.mark.usefixtures("_in_kolkata")
async def test_a_time_that_is_missing_is_the_present_wherever_the_process_is(app: App):
    before = utc_now()
    await app.layer.create_step(step_dict("none"))
    await app.layer.create_step(step_dict("null", createdAt=None))
    await app.layer.create_step(step_dict("nonsense", createdAt="soon"))
    await app.layer.create_user(cl.User(identifier="alice"))
    user = await app.layer.get_user("alice")
    thread = await app.thread("thread")
    assert user is not None
    moments = [
        user.createdAt,
        thread["createdAt"],
        *(step["createdAt"] for step in thread["steps"]),
    ]
    assert all(before[:19] <= moment[:19] <= utc_now()[:19] for moment in moments)
    assert await app.layer.get_current_timestamp() >= before


async def test_every_time_that_is_read_has_the_one_form(app: App):
    chat = await app.spoken()
    await app.layer.create_step(step_dict("a", chat.thread_id, createdAt="2026-01-01T00:00:00Z"))
    user = await app.user("alice")
    thread = await app.thread(chat.thread_id)
    [row] = (await app.page())["data"]
    times = [user.createdAt, thread["createdAt"], row["createdAt"]]
    times += [step[key] for step in thread["steps"] for key in ("createdAt", "start", "end")]
    for moment in filter(None, times):
        assert re.fullmatch(FORM, moment)


async def test_a_time_that_was_read_can_be_written_again(app: App):
    await app.layer.create_step(step_dict(createdAt="2026-01-01T00:00:00Z"))
    read: Any = await app.step("thread", "step")
    await app.layer.update_step(read)
    assert (await app.step("thread", "step"))["createdAt"] == read["createdAt"]


async def test_an_update_without_a_time_keeps_the_time(app: App):
    await app.layer.create_step(step_dict(createdAt="2026-01-01T00:00:00Z"))
    for created in (None, "", "nonsense"):
        await app.layer.update_step(step_dict(createdAt=created, output="x"))
    stored = await app.step("thread", "step")
    assert stored["createdAt"] == "2026-01-01T00:00:00.000000Z"


async def test_a_whole_chat_can_be_sent_whatever_was_in_it(app: App):
    chat = await app.spoken(text=GIVEN["text"])
    with chat:
        message = cl.Message("x", metadata=GIVEN)
        await app.layer.create_step(message.to_dict())
        cl.user_session.set("odd", GIVEN["set"])
    await chat.disconnect()
    await everything_fired()
    async with app.http("alice") as http:
        assert (await http.get(f"/project/thread/{chat.thread_id}")).status_code == 200
        body = {"pagination": {"first": 35}, "filter": {}}
        assert (await http.post("/project/threads", json=body)).status_code == 200
