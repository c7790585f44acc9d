"""The ways into a store that the Thread API shares with the UI's layer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from chainkeep.db import units
from chainkeep.db.scoping import require_in_scope
from chainkeep.errors import InvalidInputError
from chainkeep.models import Element
from chainkeep.presentation import ElementBlob, presentation
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.store import Store
from chainkeep.threads.attachments import AttachmentLimits, Describe, describe
from chainkeep.values import utc_now

__all__ = ["Access", "element_blob"]

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Access:
    """A store, what of it can be seen, and how messages are written to it."""

    store: Store
    strict_roles: bool = False
    """Refuse roles other than user, assistant, system and tool."""
    persist_system: bool = True
    """Write system messages; else they are only checked and given back."""
    ui_runs: bool = True
    """Give each user message the run that the UI draws thumbs with."""
    limits: AttachmentLimits = field(default_factory=AttachmentLimits)
    describe: Describe = describe
    """Looks into what is attached, once it is stored."""
    address: Callable[[str, str], str] | None = None
    """A signed address of an element, by its thread's id and its own, where the app serves them."""
    products: Collection[str] | None = None
    """The products that there are; None for any word."""
    scope: Scope = EVERYTHING
    """Every other thread is as if it were not there."""

    async def read(
        self,
        thread_id: str | None,
        query: Callable[Concatenate[Any, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Read at one moment, after the writes made so far: to that thread, or to any.

        ``NotFoundError`` where the thread is not in the scope. A query that is given no thread
        keeps to the scope by itself.
        """

        def look(connection: Any) -> T:
            if thread_id is not None:
                require_in_scope(connection, thread_id, self.scope)
            return query(connection, *args, **kwargs)

        await self.store.settled(thread_id)
        return await self.store.snapshot(look)

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

        ``NotFoundError`` where the thread is not in the scope. ``promise`` is the result where the
        database is away and the write is kept.
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
            thread_id,
            f"thread {thread_id}",
            function,
            promise=promise,
            scope=self.scope,
            **arguments,
        )

    async def blob(self, key: str) -> bytes:
        """A blob, also one that is on its way; ``BlobNotFoundError`` where there is none."""
        await self.store.blob_arrived(key)
        return b"".join([piece async for piece in self.store.blobs.stream(key)])

    async def address_of(self, element: Element) -> str | None:
        """A signed address: the blob store's, else the app's, else none."""
        await self.store.blob_arrived(element.object_key or "")
        shown = presentation(element_blob(element))
        signed = await self.store.blobs.url(
            element.object_key or "",
            content_type=shown.content_type,
            disposition=shown.disposition,
        )
        if signed is not None or self.address is None:
            return signed
        return self.address(element.thread_id or "", element.id)

    def outside(self) -> Access:
        """The same without a scope, for what makes a thread."""
        return replace(self, scope=EVERYTHING)

    def within(self, scope: Scope) -> Access:
        """The same, of which no more is seen than is in that scope too."""
        self.check_product(scope.product)
        both = self.scope.narrowed(scope)
        if both is None:
            raise InvalidInputError("Nothing is in both scopes: the one asked for and this one.")
        return replace(self, scope=both)

    def check_product(self, product: str | None) -> None:
        """Let a product pass that there is."""
        if product is not None and self.products is not None and product not in self.products:
            raise InvalidInputError(
                f"There is no product {product}; open_threads knows {', '.join(self.products)}."
            )

    def place(self, owner: str | None, org: str | None, product: str | None) -> Scope:
        """Where a thread belongs that is given these; what is not given is the scope's."""
        self.check_product(product)
        place = Scope(
            user=self.scope.user if owner is None else owner,
            org=self.scope.org if org is None else org,
            product=self.scope.product if product is None else product,
        )
        if not place.lies_in(self.scope):
            raise InvalidInputError(
                "The thread would be out of the scope; nobody here would see it."
            )
        return place

    async def delete_for_good(self, thread_id: str) -> bool:
        """Delete a thread with all that is in it, then the blobs; whether it was there."""
        kept: tuple[bool, list[str]] = (True, [])
        there, keys = await self.store.submit(
            thread_id,
            f"thread {thread_id}",
            units.discard_thread,
            promise=kept,
            thread_id=thread_id,
            deleted_at=utc_now(),
            within=self.scope,
        )
        self.remove_blobs(keys)
        return there

    def remove_blobs(self, keys: Sequence[str]) -> None:
        """Remove the blobs of what is deleted for good, in the background."""
        self.store.remove_blobs(keys)


def element_blob(element: Element) -> ElementBlob:
    """What decides how an element's bytes are presented."""
    return ElementBlob(
        key=element.object_key or "",
        name=element.name,
        type=element.type,
        mime=element.mime,
        display=element.display,
    )
