"""The ways into a store that the Thread API shares with the UI's layer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from chainkeep.store import Store
from chainkeep.threads.attachments import AttachmentLimits, Describe, describe

__all__ = ["Access"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """A store, and how messages are written to it."""

    store: Store
    strict_roles: bool = False
    """Refuse roles other than user, assistant, system and tool."""
    ui_runs: bool = True
    """Give each user message the run that the UI draws thumbs with."""
    limits: AttachmentLimits = field(default_factory=AttachmentLimits)
    describe: Describe = describe
    """Looks into what is attached, once it is stored."""
    address: Callable[[str, str], str] | None = None
    """A signed address of an element, by its thread's id and its own, where the app serves them."""

    async def read(
        self,
        thread_id: str | None,
        query: Callable[Concatenate[Any, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Read at one moment, after the writes made so far: to that thread, or to any."""
        await self.store.settled(thread_id)
        return await self.store.snapshot(lambda connection: query(connection, *args, **kwargs))

    async def write(
        self,
        thread_id: str,
        function: Callable[..., T],
        /,
        *,
        promise: T | None = None,
        **arguments: Any,
    ) -> T:
        """Do one of ``units.OPERATIONS`` to a thread, in its turn; done when it is committed.

        ``promise`` is the result where the database is away and the write is kept.
        """
        return await self.submit(thread_id, function, promise=promise, **arguments)

    def submit(
        self,
        thread_id: str,
        function: Callable[..., T],
        /,
        *,
        promise: T | None = None,
        **arguments: Any,
    ) -> asyncio.Future[T]:
        """``write``, whose place in the order is taken now."""
        arguments["thread_id"] = thread_id
        return self.store.submit(
            thread_id, f"thread {thread_id}", function, promise=promise, **arguments
        )

    async def blob(self, key: str) -> bytes:
        """A blob, also one that is on its way; ``BlobNotFoundError`` where there is none."""
        await self.store.blob_arrived(key)
        return b"".join([piece async for piece in self.store.blobs.stream(key)])

    def remove_blobs(self, keys: Sequence[str]) -> None:
        """Remove the blobs of what is deleted for good, in the background."""
        self.store.remove_blobs(keys)
