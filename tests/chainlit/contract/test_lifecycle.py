"""From the factory to ``close``: errors are told, no write is lost, nobody's text is logged."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import chainlit as cl
import chainlit.data
import pytest
from chainlit.config import config
from chainlit.types import Feedback, Pagination, ThreadFilter
from sqlalchemy import Connection, Engine, event, text

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.errors import AdoptionRequiredError, ChainkeepError, StorageError
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import App, everything_fired, fire, step_dict
from tests.support.databases import run_on


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to any database meanwhile, beginnings of transactions left out."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def big_chat(app: App, size: int) -> str:
    chat = await app.spoken()
    for n in range(size):
        await app.layer.create_step(step_dict(f"{size} {n}", chat.thread_id))
        await app.layer.upsert_feedback(Feedback(forId=f"{size} {n}", value=1))
        with chat:
            await app.layer.create_element(cl.Image(name="x", url="https://example.com/x"))
    return chat.thread_id


async def test_a_read_takes_as_many_statements_whatever_the_size_of_the_history(app: App):
    user = await app.user("alice")
    counts = []
    for size in (1, 12):
        thread_id = await big_chat(app, size)
        for read, most in (
            (app.layer.get_thread(thread_id), 1),
            (app.layer.get_thread_author(thread_id), 1),
            (app.layer.get_user("alice"), 1),
            (app.layer.get_favorite_steps(user.id), 1),
            (app.layer.get_element(thread_id, "none"), 1),
        ):
            with statements() as seen:
                await read
            counts.append((len(seen), most))
        with statements() as seen:
            await app.layer.list_threads(
                Pagination(first=35),
                ThreadFilter(userId=user.id, search="hello", feedback=1),
            )
        counts.append((len(seen), 7))  # tests/store/test_search.py says how many and when
    assert [(count, most) for count, most in counts if count > most] == []


async def test_a_list_reads_nothing_of_what_was_said(app: App):
    await big_chat(app, 3)
    with statements() as seen:
        await app.page()
    [_, page] = seen  # the first makes sure of the user
    assert "elements" not in page
    columns = page.partition("FROM")[0]
    assert "output" not in columns


async def test_the_layer_is_made_without_a_loop_and_without_a_database():
    # As Chainlit's factory does, in the middle of somebody's first request.
    layer = ChainkeepDataLayer("postgresql+asyncpg://nobody:secret@127.0.0.1:9/none")
    await layer.close()
    assert "secret" not in repr(layer)


async def test_chainlit_finds_the_layer_by_its_factory(
    layer: ChainkeepDataLayer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(config.code, "data_layer", None)
    monkeypatch.setattr(chainlit.data, "_data_layer", None)
    monkeypatch.setattr(chainlit.data, "_data_layer_initialized", False)
    cl.data_layer(lambda: layer)
    assert chainlit.data.get_data_layer() is layer


async def test_the_first_call_makes_the_tables(empty_database_url: str, make_layer: MakeLayer):
    layers = [make_layer(empty_database_url) for _ in range(3)]
    await asyncio.gather(
        *(layers[n % 3].create_step(step_dict(str(n), output="kept")) for n in range(9))
    )
    thread = await layers[0].get_thread("thread")
    assert thread is not None
    assert len(thread["steps"]) == 9


async def test_a_database_of_another_layer_is_refused_and_left_alone(
    empty_database_url: str, make_layer: MakeLayer
):
    for table in ("threads", "steps"):
        old = f'CREATE TABLE {table} ("id" TEXT PRIMARY KEY, "createdAt" TEXT)'
        await run_on(empty_database_url, partial(_committed, old))
    layer = make_layer(empty_database_url)
    with pytest.raises(AdoptionRequiredError, match="chainkeep adopt"):
        await layer.get_thread("any")
    with pytest.raises(AdoptionRequiredError):
        await layer.create_step(step_dict())


def _committed(statement: str, connection: Connection) -> None:
    connection.execute(text(statement))
    connection.commit()


async def test_a_database_out_of_reach_raises_from_every_read(make_layer: MakeLayer):
    layer = make_layer("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    for read in (
        layer.get_user("alice"),
        layer.get_thread("any"),
        layer.get_thread_author("any"),
        layer.get_element("any", "any"),
        layer.get_favorite_steps("any"),
        layer.get_step("any"),
        layer.list_threads(Pagination(first=1), ThreadFilter(userId="any")),
    ):
        with pytest.raises(StorageError):
            await read


@pytest.mark.usefixtures("own_database")
async def test_a_write_that_the_database_refuses_raises(app: App):
    await app.layer.create_step(step_dict())
    await app.layer.execute_sql("DROP TABLE feedbacks", {})
    await app.layer.execute_sql("DROP TABLE elements", {})
    await app.layer.execute_sql("DROP TABLE steps", {})
    for write in (
        app.layer.create_step(step_dict("new")),
        app.layer.update_step(step_dict()),
        app.layer.delete_step("step"),
        app.layer.set_step_favorite(step_dict(), True),
        app.layer.delete_thread("thread"),
        app.layer.upsert_feedback(Feedback(forId="step", value=1)),
    ):
        with pytest.raises(StorageError):
            await write


@pytest.mark.parametrize("what", ["no table", "a rule of the database"])
@pytest.mark.usefixtures("own_database")
async def test_a_write_that_fails_puts_nobodys_text_into_the_log(
    app: App, database_kind: str, caplog: pytest.LogCaptureFixture, what: str
):
    caplog.set_level(logging.DEBUG)
    chat = await app.spoken()
    await app.layer.execute_sql(_FAULTS[what, database_kind], {})
    with chat:
        fire(
            app.layer.create_step(
                step_dict(
                    "the id",
                    chat.thread_id,
                    output="a secret output",
                    input="a secret input",
                    metadata={"k": "a secret value"},
                    tags=["a secret tag"],
                )
            )
        )
    await everything_fired()
    # Nobody ever asks for the outcome of such a task, which asyncio then remarks upon.
    gc.collect()
    assert "the id" in caplog.text
    assert chat.thread_id in caplog.text
    assert "secret" not in caplog.text


_RULE = """
    CREATE TRIGGER rule BEFORE INSERT ON steps
    BEGIN SELECT RAISE(ABORT, 'not today') WHERE NEW."output" LIKE '%secret%'; END
"""
_FAULTS = {
    ("no table", "sqlite"): "DROP TABLE steps",
    ("no table", "postgresql"): "DROP TABLE steps",
    ("a rule of the database", "sqlite"): _RULE,
    ("a rule of the database", "postgresql"): """
        ALTER TABLE steps ADD CONSTRAINT rule CHECK ("output" NOT LIKE '%secret%')
    """,
}


async def test_a_refusal_puts_nobodys_text_into_the_log(app: App, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    await app.layer.create_step(step_dict("the id", "a thread", output="a secret"))
    fire(app.layer.update_step(step_dict("the id", "another thread", output="a secret")))
    await everything_fired()
    gc.collect()
    assert "the id" in caplog.text
    assert "secret" not in caplog.text


async def test_closing_waits_for_what_was_fired(app: App, make_layer: MakeLayer):
    layer = make_layer()
    element = cl.Text(name="t", content="x" * 100_000, thread_id="thread", for_id="1")
    for n in range(100):
        fire(layer.create_step(step_dict(str(n))))
    fire(layer.create_element(element))
    fire(layer.update_thread("thread", name="named", metadata={"a": 1}))
    await asyncio.sleep(0)
    await layer.close()
    thread = await app.thread("thread")
    assert len(thread["steps"]) == 100
    assert (thread["name"], thread["metadata"]) == ("named", {"a": 1})
    assert await app.bytes_of("thread", element.id) == b"x" * 100_000


async def test_closing_waits_for_what_was_fired_in_the_same_breath(app: App, make_layer: MakeLayer):
    layer = make_layer()
    await layer.get_user("anybody")
    fire(layer.create_step(step_dict(output="said last")))
    await layer.close()
    await everything_fired()
    assert await app.outputs("thread") == ["said last"]


async def test_closing_finishes_deletions_and_their_blobs(app: App, make_layer: MakeLayer):
    layer = make_layer()
    element = cl.Text(name="t", content="x", thread_id="thread", for_id="1")
    await layer.create_step(step_dict("1"))
    await layer.create_element(element)
    fire(layer.delete_thread("thread"))
    await asyncio.sleep(0)
    await layer.close()
    assert await app.layer.get_thread("thread") is None
    assert await app.blob_keys() == []


async def test_a_layer_that_was_never_used_closes_and_may_be_closed_twice(make_layer: MakeLayer):
    layer = make_layer()
    await layer.close()
    await layer.close()


async def test_closing_with_a_chat_kept_back_writes_nothing(app: App, make_layer: MakeLayer):
    layer = make_layer()
    with await app.chat():
        await layer.create_step(step_dict("held", "thread"))
    await layer.close()
    assert await app.layer.get_thread("thread") is None


async def test_what_comes_after_closing_is_refused_in_our_words_or_kept(
    make_layer: MakeLayer,
):
    # When a server stops, its sockets write their sessions down after the layer was closed.
    layer = make_layer()
    await layer.create_step(step_dict())
    await layer.close()
    try:
        await asyncio.wait_for(layer.update_thread("thread", metadata={"late": 1}), 15)
    except ChainkeepError:
        return
    next_process = make_layer()
    await next_process.create_step(step_dict("next"))
    assert (await App(next_process).thread("thread"))["metadata"] == {"late": 1}


async def test_a_cancelled_caller_does_not_take_the_write_back(app: App):
    await app.layer.get_user("anybody")
    for n in range(5):
        task = asyncio.create_task(app.layer.create_step(step_dict(str(n), output="kept")))
        for _ in range(n + 1):
            await asyncio.sleep(0)
        task.cancel()
    await everything_fired()
    assert await app.outputs("thread") == ["kept"] * 5


async def test_a_layer_serves_more_than_one_process_on_one_database(
    app: App, make_layer: MakeLayer
):
    other = make_layer()
    await app.layer.create_step(step_dict("a", output="by one"))
    await other.update_step(step_dict("a", output="by the other"))
    await app.layer.create_step(step_dict("b", output="by one again"))
    for layer in (app.layer, other):
        assert await App(layer).outputs("thread") == ["by the other", "by one again"]
