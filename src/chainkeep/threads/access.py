"""The ways into a store that the Thread API shares with the UI's layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

from chainkeep.store import Store

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
        submit = partial(self.store.submit, thread_id, f"thread {thread_id}", function)
        return await submit(promise=promise, thread_id=thread_id, **arguments)

    def remove_blobs(self, keys: Sequence[str]) -> None:
        """Remove the blobs of what is deleted for good, in the background."""
        self.store.remove_blobs(keys)
