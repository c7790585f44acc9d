"""The data layer's methods for elements, and the addresses at which a browser reads them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from chainlit.element import Element as ChainlitElement
from chainlit.element import ElementDict

from chainkeep.attachments import Content, OpenFile
from chainkeep.blobs import Blobs, BlobSource
from chainkeep.chainlit import translate
from chainkeep.chainlit.hold import Hold, current_caller, own_thread
from chainkeep.chainlit.route import element_url, signed_element_url
from chainkeep.errors import ChainkeepError
from chainkeep.models import Element
from chainkeep.presentation import ElementBlob, presentation
from chainkeep.store import Store

__all__ = ["ElementMethods"]

logger = logging.getLogger("chainkeep.chainlit")


class ElementMethods:
    """A part of ``ChainkeepDataLayer``."""

    store: Store
    _hold: Hold

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of elements are."""
        return self.store.blobs

    async def create_element(self, element: ChainlitElement) -> None:
        caller = current_caller()
        row = translate.element_from_chainlit(element, thread_id=own_thread(caller))
        content = _content(row, translate.element_content(element))
        revive = bool(getattr(element, "updatable", False))
        await self._hold.through(
            lambda: self.store.save_element(row, content, caller=caller, revive=revive)
        )

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        element = await self.store.get_element(element_id, thread_id=thread_id)
        if element is None:
            return None
        return await self._shown(element)

    async def element_blob(self, thread_id: str, element_id: str) -> ElementBlob | None:
        """What the element route needs; None where there are no bytes of ours."""
        element = await self.store.get_element(element_id, thread_id=thread_id)
        if element is None or not _has_bytes(element):
            return None
        await self.store.blob_arrived(element.object_key or "")
        return _blob(element)

    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        caller = current_caller()
        thread = thread_id or own_thread(caller) or None
        try:
            await self._hold.through(
                lambda: self.store.delete_element(element_id, thread_id=thread, caller=caller)
            )
        except ChainkeepError:
            logger.info("Element %s was not deleted; the reason is logged above.", element_id)

    def element_address(self, thread_id: str, element_id: str) -> str:
        """A signed address of an element, for an hour and anyone who has it."""
        return signed_element_url(thread_id, element_id)

    async def _shown(self, element: Element) -> ElementDict:
        return translate.element_to_chainlit(element, await self._url(element))

    async def _url(self, element: Element) -> str | None:
        if element.url or not _has_bytes(element):
            return element.url
        thread_id = element.thread_id or ""
        if not self.store.settings.direct_urls:
            return element_url(thread_id, element.id)
        await self.store.blob_arrived(element.object_key or "")
        shown = presentation(_blob(element))
        signed = element.object_key and await self.blobs.url(
            element.object_key, content_type=shown.content_type, disposition=shown.disposition
        )
        return signed or signed_element_url(thread_id, element.id)


def _content(element: Element, source: BlobSource | None) -> Content | None:
    if source is None:
        return None
    shown = presentation(_blob(element))
    held = _held_open(source) if isinstance(source, Path) else source
    return Content(source=held, content_type=shown.content_type, disposition=shown.disposition)


def _held_open(path: Path) -> BlobSource | OpenFile:
    try:
        return OpenFile(path)
    except OSError:
        # The element's row is kept all the same; storing the bytes will say what is wrong.
        return path


def _has_bytes(element: Element) -> bool:
    return bool(element.object_key) or (element.type == "tasklist" and element.props is not None)


def _blob(element: Element) -> ElementBlob:
    tasks = json.dumps(element.props).encode() if element.type == "tasklist" else None
    return ElementBlob(
        key=element.object_key or "",
        name=element.name,
        type=element.type,
        mime=element.mime,
        display=element.display,
        content=tasks,
    )
