"""Chainlit mixes positional and keyword arguments, and so does code written for its own layers."""

from __future__ import annotations

import inspect
import logging

import chainlit as cl
import pytest
from chainlit.data.base import BaseDataLayer
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.element import Element, ElementDict
from chainlit.step import Step, StepDict
from chainlit.types import ThreadDict
from chainlit.utils import utc_now

from chainkeep.chainlit import ChainkeepDataLayer, translate
from chainkeep.errors import InvalidInputError, StorageError
from tests.chainlit.contract.chats import App, as_sent, step_dict

METHODS = sorted(
    name for name, member in vars(BaseDataLayer).items() if inspect.iscoroutinefunction(member)
)
FORMER_METHODS = ["execute_sql", "get_all_user_threads", "get_current_timestamp", "get_step"]


def parameters(function: object) -> list[tuple[str, object]]:
    assert callable(function)
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_takes_what_chainlit_gives_it_under_the_same_names(name: str):
    ours, theirs = getattr(ChainkeepDataLayer, name), getattr(BaseDataLayer, name)
    assert parameters(ours) == parameters(theirs)
    assert inspect.iscoroutinefunction(ours)
    assert ours is not theirs


@pytest.mark.parametrize("name", FORMER_METHODS)
def test_a_method_of_the_built_in_layer_takes_the_same_arguments(name: str):
    ours, theirs = getattr(ChainkeepDataLayer, name), getattr(SQLAlchemyDataLayer, name)
    assert [n for n, _ in parameters(ours)] == [n for n, _ in parameters(theirs)]


def test_the_arguments_of_the_built_in_layer_come_first_and_in_its_order():
    theirs = [name for name, _ in parameters(SQLAlchemyDataLayer)]
    assert [name for name, _ in parameters(ChainkeepDataLayer)][: len(theirs)] == theirs


async def test_the_arguments_of_the_built_in_layer_may_be_given_by_position(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(logging.getLogger("chainkeep"), "level", logging.NOTSET)
    layer = ChainkeepDataLayer(database_url, None, False, None, 2, False)
    app = App(layer)
    for n in range(3):
        user = await app.user("alice")
        await layer.update_thread(str(n), user_id=user.id)
    page = await app.page(first=35)
    assert len(page["data"]) == 2
    assert page["pageInfo"]["hasNextPage"] is True
    await layer.close()


def test_the_layer_is_true():
    # Chainlit asks `if data_layer := get_data_layer()`.
    assert not {"__bool__", "__len__"} & set(dir(ChainkeepDataLayer))


async def test_the_debug_url_is_text(layer: ChainkeepDataLayer):
    assert await layer.build_debug_url() == ""


async def test_every_key_that_a_step_or_a_message_writes_has_its_place(app: App):
    with await app.chat():
        written = {*cl.Message("x").to_dict(), *Step().to_dict(), *StepDict.__annotations__}
    # An icon travels in the metadata; were it ever a key, it would be kept as an extra one.
    assert written - set(translate._STEP_FIELDS) - translate._OTHER_STEP_KEYS <= {"icon"}


async def test_every_key_that_an_element_writes_has_its_place(app: App):
    with await app.chat():
        written = {*cl.Text(content="x").to_dict(), *ElementDict.__annotations__}
    # A path names a file of the server's, and no element writes it.
    assert written - translate._ELEMENT_KEYS <= {"path"}
    assert issubclass(cl.Text, Element)


async def test_every_key_that_chainlit_reads_of_a_thread_is_there(app: App):
    chat = await app.spoken()
    [row] = (await app.page())["data"]
    for thread in (row, await app.thread(chat.thread_id)):
        assert set(thread) == set(ThreadDict.__annotations__)


async def test_a_step_can_be_asked_for(app: App):
    await app.layer.create_step(step_dict(parentId="somewhere", output="x"))
    step = as_sent(await app.layer.get_step("step"))
    assert step is not None
    assert (step["output"], step["parentId"]) == ("x", "somewhere")
    assert await app.layer.get_step("none") is None


async def test_all_threads_of_a_user_can_be_asked_for_with_what_is_in_them(app: App):
    first, second = await app.spoken(text="one"), await app.spoken(text="two")
    user = await app.user("alice")
    threads = await app.layer.get_all_user_threads(user.id)
    assert threads == [await app.thread(second.thread_id), await app.thread(first.thread_id)]
    one = await app.layer.get_all_user_threads(thread_id=first.thread_id)
    assert one == [await app.thread(first.thread_id)]
    assert await app.layer.get_all_user_threads(thread_id="none") == []


async def test_all_threads_of_nobody_are_refused_and_are_not_everybodys(app: App):
    await app.spoken()
    with pytest.raises(InvalidInputError):
        await app.layer.get_all_user_threads()


async def test_a_statement_of_ones_own_gives_rows_or_their_number(app: App):
    await app.layer.create_step(step_dict("a"))
    await app.layer.create_step(step_dict("b"))
    rows = await app.layer.execute_sql(
        'SELECT "id" FROM steps WHERE "threadId" = :thread ORDER BY "id"', {"thread": "thread"}
    )
    assert rows == [{"id": "a"}, {"id": "b"}]
    assert await app.layer.execute_sql('DELETE FROM steps WHERE "id" = :id', {"id": "a"}) == 1
    assert [step["id"] for step in await app.steps("thread")] == ["b"]


async def test_a_statement_of_ones_own_that_fails_raises(app: App):
    with pytest.raises(StorageError):
        await app.layer.execute_sql("SELECT * FROM nowhere", {})


async def test_a_statement_of_ones_own_that_fails_raises_for_a_missing_parameter(app: App):
    with pytest.raises(StorageError):
        await app.layer.execute_sql('SELECT "id" FROM steps WHERE "id" = :id', {})


async def test_the_present_is_told_in_utc(layer: ChainkeepDataLayer):
    before = utc_now()
    assert before[:19] <= (await layer.get_current_timestamp())[:19] <= utc_now()[:19]
