"""Attachments on their way into a thread: the rows they become, and the bytes that follow."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from chainkeep.attachments import Content, OpenFile
from chainkeep.blobs.keys import element_key
from chainkeep.db import attachment_units
from chainkeep.errors import BlobError, BlobNotFoundError
from chainkeep.models import Element
from chainkeep.presentation import presentation
from chainkeep.threads.access import Access, element_blob
from chainkeep.threads.attachments import Attachment
from chainkeep.values import cleaned_json, to_json

__all__ = ["Parcel", "copy_blobs", "deliver", "pack", "with_bytes"]

logger = logging.getLogger("chainkeep.threads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """An attachment that was let in."""

    attachment: Attachment
    id: str
    key: str | None
    """Of its blob; None for a link."""
    content: Content | None

    @property
    def row(self) -> dict[str, Any]:
        """What a write of ``thread_units`` makes its element of."""
        return {
            "id": self.id,
            "type": self.attachment.type,
            "name": self.attachment.name,
            "url": self.attachment.url,
            "object_key": self.key,
            "mime": self.attachment.mime,
            "attributes": to_json(cleaned_json(self.attachment.attributes)),
            "status": "link" if self.key is None else "pending",
        }

    def arrived(self, access: Access, thread_id: str, message_id: str) -> Attachment:
        """The attachment as it is found where it was posted."""
        posted = replace(
            self.attachment,
            id=self.id,
            message_id=message_id,
            status="link" if self.key is None else "stored",
            _source=None,
        )
        element = replace(element_of(posted), thread_id=thread_id, object_key=self.key)
        return with_bytes(posted, element, access)


async def pack(access: Access, thread_id: str, attachments: Iterable[Attachment]) -> list[Parcel]:
    """Check attachments against the limits, all before any is written."""
    found = list(attachments)
    for attachment in found:
        access.limits.check(attachment)
    return [await _packed(thread_id, attachment) for attachment in found]


async def _packed(thread_id: str, attachment: Attachment) -> Parcel:
    source, new_id = await attachment.source(), str(uuid.uuid4())
    if source is None:
        return Parcel(attachment=attachment, id=new_id, key=None, content=None)
    key = element_key(thread_id, new_id)
    content = _content(element_of(attachment), source)
    return Parcel(attachment=attachment, id=new_id, key=key, content=content)


def element_of(attachment: Attachment) -> Element:
    """The element that an attachment becomes, without its place."""
    return Element(
        id=attachment.id or "",
        type=attachment.type,
        name=attachment.name,
        mime=attachment.mime,
        url=attachment.url,
    )


def _content(element: Element, source: bytes | OpenFile) -> Content:
    shown = presentation(element_blob(element))
    return Content(source=source, content_type=shown.content_type, disposition=shown.disposition)


def with_bytes(attachment: Attachment, element: Element, access: Access) -> Attachment:
    """An attachment that knows where the bytes of its element are."""
    if element.object_key is None:
        return attachment
    return replace(
        attachment,
        _stored=partial(access.blob, element.object_key),
        _address=partial(access.address_of, element),
    )


def deliver(
    access: Access, thread_id: str, parcels: Sequence[Parcel], written: asyncio.Future[Any]
) -> list[asyncio.Future[Any]]:
    """Store the bytes once their rows are written; what is found in them follows by itself."""
    stored = []
    for parcel in parcels:
        if parcel.key is not None and parcel.content is not None:
            arriving = access.store.store_blob(parcel.key, parcel.content, written)
            _ = access.store.background(_described(access, thread_id, parcel, arriving))
            stored.append(arriving)
    return stored


async def copy_blobs(
    access: Access, copies: Iterable[tuple[Element, str]], written: asyncio.Future[Any]
) -> None:
    """Store the bytes of elements under new keys too, one after the other; those that are missing
    are missing there too.
    """
    for element, key in copies:
        with suppress(BlobNotFoundError):
            source = await access.blob(element.object_key or "")
            await access.store.store_blob(key, _content(element, source), written)


async def _described(
    access: Access, thread_id: str, parcel: Parcel, arriving: asyncio.Future[Any]
) -> None:
    found: Mapping[str, Any] = {}
    try:
        await asyncio.shield(arriving)
    except BlobError:
        status = "failed"
    else:
        status, found = "stored", await _found_in(access, parcel.attachment)
    await access.write(
        thread_id,
        attachment_units.describe_attachment,
        promise=True,
        attachment_id=parcel.id,
        status=status,
        attributes=cleaned_json({**parcel.attachment.attributes, **found}),
    )


async def _found_in(access: Access, attachment: Attachment) -> Mapping[str, Any]:
    # Whatever goes wrong in looking into a file, the file is there.
    outcomes = await asyncio.gather(_looked_into(access, attachment), return_exceptions=True)
    found: Mapping[str, Any] | BaseException = outcomes[0]
    if isinstance(found, BaseException):
        logger.warning("An attachment was not looked into: %s", type(found).__name__)
        return {}
    return found


async def _looked_into(access: Access, attachment: Attachment) -> Mapping[str, Any]:
    # The app's own code, which may fail before it gives anything to await.
    return await access.describe(attachment)
