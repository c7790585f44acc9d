"""Threads of a store's own, for work that would hold up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from chainkeep.errors import BlobError

__all__ = ["Workers"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Workers:
    """A few threads, started as they are needed.

    They are not the event loop's own, which also look up host names: a slow disk or a hanging store
    must hold up nothing but itself.
    """

    def __init__(self, name: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"chainkeep-{name}")

    async def run(
        self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """What ``work`` returns or raises. Cancelled, it stops waiting; the work itself goes on."""
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except RuntimeError as error:
            raise BlobError("The blob store is closed; open a new one.") from error
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Take no more work. What has begun or waits is finished, and nobody waits for it here."""
        self._pool.shutdown(wait=False)
