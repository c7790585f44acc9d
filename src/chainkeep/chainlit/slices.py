"""Long work on the event loop, in slices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import islice
from typing import TypeVar

__all__ = ["each_made", "listed"]

T = TypeVar("T")
R = TypeVar("R")

_SLICE = 100


async def listed(items: Iterable[T]) -> list[T]:
    """All the items. Where making them takes long, others get their turn in between."""
    return [item async for part in _slices(items) for item in part]


async def each_made(items: Iterable[T], make: Callable[[T], Awaitable[R]]) -> list[R]:
    """What ``make`` makes of each item. Where they are many, others get their turn in between,
    though it may never wait.
    """
    made: list[R] = []
    async for part in _slices(items):
        made += [await make(item) for item in part]
    return made


async def _slices(items: Iterable[T]) -> AsyncIterator[list[T]]:
    remaining = iter(items)
    begun = False
    while part := list(islice(remaining, _SLICE)):
        if begun:
            await asyncio.sleep(0)
        begun = True
        yield part
