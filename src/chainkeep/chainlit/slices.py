"""Long work on the event loop, in slices."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from chainkeep.paging import portions

__all__ = ["each_made", "listed"]

T = TypeVar("T")
R = TypeVar("R")

_SLICE = 200


async def listed(items: Iterable[T]) -> list[T]:
    """All the items. Where making them takes long, others get their turn in between."""
    remaining, made = iter(items), list[T]()
    while part := list(islice(remaining, _SLICE)):
        if made:
            await asyncio.sleep(0)
        made += part
    return made


async def each_made(items: Sequence[T], make: Callable[[T], Awaitable[R]]) -> list[R]:
    """What ``make`` makes of each item. Where they are many, others get their turn in between,
    though it may never wait.
    """
    made: list[R] = []
    for part in portions(items, _SLICE):
        if made:
            await asyncio.sleep(0)
        made += [await make(item) for item in part]
    return made
