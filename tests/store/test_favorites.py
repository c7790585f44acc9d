"""What a user starred is found by the threads in which something is starred."""

from __future__ import annotations

import asyncio

import pytest

from chainkeep.models import Caller, Step
from chainkeep.store import Store
from tests.threads.statements import statements_of

STARRED = Step(
    id="s", thread_id="t", created_at="2026-01-01T00:00:00.000000Z", metadata={"favorite": True}
)
PLAIN = Step(id="s", thread_id="t", created_at=STARRED.created_at)
ADA = Caller(thread_id="t", identifier="ada", user_id="user-ada")
METADATA = frozenset(["metadata"])


async def starred(store: Store, user_id: str = "user-ada") -> list[str]:
    return [step[0] for step in await store.favorite_steps(user_id)]


async def star(store: Store, way: str) -> None:
    if way == "created":
        await store.create_step(STARRED, caller=ADA)
    elif way == "updated before it is created":
        await store.update_step(STARRED, given=METADATA, caller=ADA)
    else:
        await store.create_step(PLAIN, caller=ADA)
        if way == "updated":
            await store.update_step(STARRED, given=METADATA, caller=ADA)
        else:
            await store.set_favorite("s", True)


@pytest.mark.parametrize(
    "way", ["created", "updated before it is created", "updated", "starred by hand"]
)
async def test_a_step_is_a_favourite_whichever_way_it_was_starred(store: Store, way: str) -> None:
    await star(store, way)
    assert await starred(store) == ["s"]


async def test_one_of_many_steps_that_are_written_at_once_is_a_favourite(store: Store) -> None:
    steps = [Step(id=f"{n}", thread_id="t", created_at=PLAIN.created_at) for n in range(5)]
    await asyncio.gather(*(store.create_step(step, caller=ADA) for step in [*steps, STARRED]))
    assert await starred(store) == ["s"]


async def test_a_star_belongs_to_whoever_adopts_the_thread_later(store: Store) -> None:
    await store.create_step(STARRED)
    assert await starred(store) == []
    await store.update_thread("t", user_id="user-ada")
    assert await starred(store) == ["s"]


async def test_a_star_belongs_to_whoever_writes_first_in_the_thread(store: Store) -> None:
    await store.create_step(STARRED)
    second = Step(id="second", thread_id="t", created_at=PLAIN.created_at)
    await store.create_step(second, caller=ADA)
    assert await starred(store) == ["s"]
    assert await starred(store, "user-bob") == []


async def test_a_star_is_taken_away_and_given_again(store: Store) -> None:
    await store.create_step(STARRED, caller=ADA)
    await store.set_favorite("s", False)
    assert await starred(store) == []
    await store.set_favorite("s", True)
    assert await starred(store) == ["s"]


async def test_a_step_without_a_star_pays_nothing_for_stars(store: Store) -> None:
    other = Step(id="other", thread_id="t", created_at=PLAIN.created_at)
    await store.create_step(other, caller=ADA)
    plain = await statements_of(lambda: store.create_step(PLAIN, caller=ADA))
    assert not [sql for sql in plain if '"starred" = TRUE' in sql]
    with_star = await statements_of(lambda: store.update_step(STARRED, given=METADATA, caller=ADA))
    assert [sql for sql in with_star if '"starred" = TRUE' in sql]
