"""A process that has seen ten thousand threads holds no more than one that has seen a few."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from chainkeep.attachments import Content
from chainkeep.errors import ConflictError
from chainkeep.models import Caller, Element, Feedback, Step
from chainkeep.store import Store

THREADS = {"sqlite": 10_000, "postgresql": 2_000}
AT_ONCE = 500
MOST = 300
"""Many times less than the threads."""
MOMENT = "2026-01-01T00:00:00.000000Z"


async def visit(store: Store, number: int) -> None:
    """Somebody new says something in a thread of their own; one of ten does something else too."""
    name, user = f"t{number}", f"user {number}"
    step = Step(id=name, thread_id=name, created_at=MOMENT)
    await store.create_step(step, caller=Caller(name, user))
    kind = number % 50
    if kind == 0:
        await store.save_user(user, display_name=None, metadata={})
        await store.get_user(user)
    elif kind == 10:
        await store.thread_author(name)
    elif kind == 20:
        await store.save_element(Element(id=name, thread_id=name), Content(source=b"bytes"))
        await store.save_feedback(Feedback(id=name, for_id=name, thread_id=name, value=1))
    elif kind == 30:
        await store.delete_thread(name)
    elif kind == 40:
        with pytest.raises(ConflictError):
            await store.create_step(replace(step, thread_id="another"))


def held(part: object, path: str, seen: set[int]) -> Iterator[tuple[int, str]]:
    """How many things each collection holds that a part of ours leads to."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, (Mapping, list, tuple, set, frozenset, deque)):
        yield len(part), path
        inner = part.values() if isinstance(part, Mapping) else part
        for item in list(inner)[:100]:
            yield from held(item, f"{path}[]", seen)
    elif type(part).__module__.startswith("chainkeep"):
        for name, value in attributes(part):
            yield from held(value, f"{path}.{name}", seen)


def attributes(part: object) -> Iterator[tuple[str, object]]:
    yield from getattr(part, "__dict__", {}).items()
    for kind in type(part).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(part, name):
                yield name, getattr(part, name)


async def test_what_a_store_holds_does_not_grow_with_the_threads_it_has_seen(
    store: Store, database_kind: str
) -> None:
    for first in range(0, THREADS[database_kind], AT_ONCE):
        await asyncio.gather(*(visit(store, n) for n in range(first, first + AT_ONCE)))
    await store.drain()
    sizes = list(held(store, "store", set()))
    assert (0, "store._writer._latest") in sizes
    # What was read lately has a bound of its own.
    assert [path for size, path in sizes if size > MOST and "._kept" not in path] == []
