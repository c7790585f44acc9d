"""What is read by its id, whole and without holding anybody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from chainkeep.chainlit.slices import each_made, listed
from chainkeep.db.content_rows import step_of
from chainkeep.db.statements import STATEMENTS
from chainkeep.models import STEP_COLUMNS, Caller, Element, Feedback, Step
from chainkeep.store import Store

MOMENT = "2026-01-01T00:00:{:02}.000000Z"
ADA = Caller(thread_id="t", identifier="ada")

WHOLE = Step(
    id="whole",
    thread_id="t",
    parent_id="above",
    type="tool",
    name="search",
    input="in",
    output="out",
    created_at=MOMENT.format(1),
    start=MOMENT.format(2),
    end=MOMENT.format(3),
    command="go",
    modes={"fast": True},
    language="python",
    streaming=True,
    wait_for_answer=False,
    is_error=True,
    show_input="json",
    default_open=True,
    auto_collapse=False,
    metadata={"favorite": True},
    tags=["a"],
    generation={"model": "m"},
    extra={"own": 1},
)
VOTE = Feedback(id="v", for_id="whole", thread_id="t", value=0, comment="no")


async def test_every_field_of_a_step_is_read_wherever_it_is_read(store: Store) -> None:
    user = await store.save_user("ada", display_name=None, metadata={})
    await store.update_thread("t", user_id=user.id)
    await store.create_step(WHOLE, caller=ADA)
    await store.save_feedback(VOTE)

    said = replace(WHOLE, feedback=VOTE)
    content, values = await store.get_thread("t"), await store.thread_values("t")

    assert content is not None
    assert content.steps == [said]
    assert values is not None
    assert list(map(step_of, values.steps)) == [said]
    assert await store.get_step("whole") == said
    assert list(map(step_of, await store.favorite_steps(user.id))) == [said]


async def test_every_field_of_an_element_is_read_wherever_it_is_read(store: Store) -> None:
    whole = Element(
        id="element",
        thread_id="t",
        for_id="whole",
        type="custom",
        name="n",
        display="side",
        url="https://example.org",
        object_key="key",
        chainlit_key="ck",
        mime="text/plain",
        size="large",
        language="python",
        page=3,
        props={"a": [1]},
        auto_play=True,
        player_config={"b": 2},
        extra={"own": 1},
        attributes={"c": 3},
        status="ready",
    )
    await store.update_thread("t", name="n")
    await store.save_element(whole)

    content = await store.get_thread("t")

    assert content is not None
    assert content.elements == [whole]
    assert await store.get_element("element") == whole


@pytest.mark.parametrize("feedback", [None, 0])
async def test_every_field_of_a_thread_is_read_in_a_list_too(
    store: Store, feedback: int | None
) -> None:
    user = await store.save_user("ada", display_name=None, metadata={})
    await store.update_thread("t", name="n", user_id=user.id, tags=["a"], metadata={"b": {"c": 1}})
    await store.create_step(WHOLE, caller=ADA)
    await store.save_feedback(VOTE)

    content = await store.get_thread("t")
    page = await store.list_threads(user.id, first=1, feedback=feedback)

    assert content is not None
    assert page.items == [content.thread]
    assert content.thread.tags == ["a"]
    assert content.thread.metadata == {"b": {"c": 1}}
    assert content.thread.user_identifier == "ada"


def test_a_step_has_the_same_columns_in_the_same_places_wherever_it_is_read() -> None:
    for name in ("thread_content", "step_get", "steps_favorite"):
        read = STATEMENTS["sqlite"][name].sql.partition("FROM")[0].split(",\n")
        names = [column.partition(" AS ")[2].strip() for column in read]
        assert tuple(names[: len(STEP_COLUMNS)]) == STEP_COLUMNS


async def test_text_that_no_database_holds_as_it_is_comes_back_from_among_many(
    store: Store,
) -> None:
    odd = {7: "a\0b", 150: "\ufdd0\ufdd1", 250: "\ufdd0"}
    await long_thread(store, 300, odd)
    content = await store.get_thread("t")
    assert content is not None
    assert [step.output for step in content.steps] == [odd.get(n, "said") for n in range(300)]


async def test_steps_and_elements_come_in_the_order_in_which_they_were_handed_over(
    store: Store,
) -> None:
    for name in ("c", "a", "b"):
        await store.create_step(replace(WHOLE, id=name, metadata={}), caller=ADA)
        await store.save_element(Element(id=name, thread_id="t"))
    content = await store.get_thread("t")
    assert content is not None
    assert [step.id for step in content.steps] == ["c", "a", "b"]
    assert [element.id for element in content.elements] == ["c", "a", "b"]


async def test_an_empty_thread_is_read_and_a_deleted_one_is_not(store: Store) -> None:
    await store.update_thread("t", name="empty")
    content = await store.get_thread("t")
    assert content is not None
    assert (content.thread.name, content.steps, content.elements) == ("empty", [], [])
    await store.delete_thread("t")
    assert await store.get_thread("t") is None
    assert await store.thread_values("t") is None


async def test_a_long_thread_is_read_while_others_go_on(store: Store) -> None:
    await long_thread(store, 1000, {})
    assert await turns_during(store.thread_values("t")) >= 8


async def test_a_long_list_is_made_while_others_go_on() -> None:
    assert await listed(iter(range(450))) == list(range(450))
    assert await turns_during(listed(iter(range(1000)))) >= 3


async def test_the_elements_of_a_long_thread_are_made_while_others_go_on() -> None:
    async def make(number: int) -> int:
        return -number

    assert await each_made(range(450), make) == [-number for number in range(450)]
    assert await turns_during(each_made(range(1000), make)) >= 3


async def long_thread(store: Store, steps: int, outputs: dict[int, str]) -> None:
    writes = [
        store.create_step(
            Step(
                id=f"s{n}",
                thread_id="t",
                created_at=MOMENT.format(0),
                output=outputs.get(n, "said"),
            ),
            caller=ADA,
        )
        for n in range(steps)
    ]
    await asyncio.gather(*writes)


@asynccontextmanager
async def turns() -> AsyncIterator[list[int]]:
    """Counts how often somebody else has a turn."""
    taken = [0]

    async def take() -> None:
        while True:
            await asyncio.sleep(0)
            taken[0] += 1

    other = asyncio.ensure_future(take())
    yield taken
    other.cancel()


async def turns_during(work: Awaitable[Any]) -> int:
    async with turns() as taken:
        await work
        return taken[0]
