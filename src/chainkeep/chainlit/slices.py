"""Long work on the event loop, in slices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

__all__ = ["listed"]

T = TypeVar("T")

_SLICE = 200


async def listed(items: Iterable[T]) -> list[T]:
    """All the items. Where making them takes long, others get their turn in between."""
    remaining, made = iter(items), list[T]()
    while part := list(islice(remaining, _SLICE)):
        if made:
            await asyncio.sleep(0)
        made += part
    return made
