"""Files and pictures that go with a message."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import mimetypes
import re
import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote_to_bytes, urlsplit

from chainkeep.attachments import OpenFile
from chainkeep.errors import (
    AttachmentTooLargeError,
    AttachmentTypeError,
    InvalidInputError,
)

__all__ = [
    "Attachment",
    "AttachmentLimits",
    "Describe",
    "ImagesAs",
    "describe",
    "file_of",
    "line_of",
    "picture_of",
    "pictures_among",
]

ImagesAs = Literal["data", "url"]
"""Data URLs, or addresses where there are any."""

_UNKNOWN = "application/octet-stream"
_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.DOTALL)
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"%PDF-": "application/pdf",
}
_PREVIEW, _LARGEST_JSON = 500, 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something that goes with a message: bytes, a file, or a link to what is elsewhere.

    Made by one of the ``from_…`` methods to be posted, and found in ``Message.attachments``; what
    was found can be posted again. Making one writes nothing.
    """

    name: str
    """What whoever sent it calls it; any text."""
    mime: str
    url: str | None = None
    """Where a link leads; nothing is fetched from there."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """The app's own, with ``size`` in bytes, and what was found in the bytes."""
    id: str | None = None
    """Of the element, once it was posted."""
    message_id: str | None = None
    status: str | None = None
    """pending, stored, failed, or link; None where the UI wrote it."""
    _source: bytes | OpenFile | None = field(default=None, repr=False, compare=False)
    _stored: Callable[[], Awaitable[bytes]] | None = field(default=None, repr=False, compare=False)
    _address: Callable[[], Awaitable[str | None]] | None = field(
        default=None, repr=False, compare=False
    )

    @classmethod
    def from_bytes(cls, content: bytes, name: str, mime: str | None = None) -> Attachment:
        """Bytes; what they are is taken from the name or from how they begin, unless ``mime`` says
        it.
        """
        if not name:
            raise InvalidInputError("Bytes need a name, such as report.pdf.")
        kind = mime or mimetypes.guess_type(name)[0] or _sniffed(content)
        return cls(name=name, mime=kind, attributes={"size": len(content)}, _source=content)

    @classmethod
    def from_path(
        cls, path: str | Path, name: str | None = None, mime: str | None = None
    ) -> Attachment:
        """A file of this machine, held open from now on, so it may be deleted before it is posted.

        ``InvalidInputError`` where it cannot be read. No other method takes paths, so text that
        came from outside never names a file.
        """
        path = Path(path)
        if not path.is_file():
            raise InvalidInputError(f"{path.name} is no file.")
        try:
            source = OpenFile(path)
        except OSError as exc:
            raise InvalidInputError(f"{path.name} cannot be read.") from exc
        name = name or path.name
        kind = mime or mimetypes.guess_type(name)[0] or _UNKNOWN
        return cls(name=name, mime=kind, attributes={"size": path.stat().st_size}, _source=source)

    @classmethod
    def from_data_url(cls, url: str, name: str | None = None) -> Attachment:
        """The bytes in a ``data:`` URL."""
        match = _DATA_URL.fullmatch(url)
        if match is None:
            raise InvalidInputError("That is no data URL; it begins with data: and has a comma.")
        kind, options, data = match.groups()
        content = _unpacked(data) if ";base64" in options else unquote_to_bytes(data)
        kind = kind.lower() or "text/plain"
        return cls.from_bytes(content, name or _named("file", kind), kind)

    @classmethod
    def from_link(cls, url: str, name: str | None = None, mime: str | None = None) -> Attachment:
        """An address that is kept as it is: a browser follows it, the server does not."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidInputError("A link begins with http:// or https://.")
        last = parts.path.rpartition("/")[2]
        kind = mime or mimetypes.guess_type(last)[0] or _UNKNOWN
        return cls(name=name or last or parts.netloc, mime=kind, url=url)

    @classmethod
    def from_pil(cls, image: Any, name: str | None = None) -> Attachment:
        """A picture of Pillow's, in its own format or else as PNG."""
        buffer, kind = BytesIO(), getattr(image, "format", None) or "PNG"
        try:
            image.save(buffer, format=kind)
        except (OSError, ValueError) as exc:
            raise InvalidInputError(f"The picture cannot be written as {kind}.") from exc
        mime = f"image/{kind.lower()}"
        return cls.from_bytes(buffer.getvalue(), name or _named("image", mime), mime)

    @property
    def size(self) -> int | None:
        """Bytes; None for a link, and where the UI wrote it."""
        size = self.attributes.get("size")
        return size if isinstance(size, int) else None

    @property
    def is_picture(self) -> bool:
        """Whether it is an image."""
        return self.mime.startswith("image/")

    @property
    def in_content(self) -> bool:
        """Whether it only shows what stands among the parts of the message's content."""
        return bool(self.attributes.get("in_content"))

    @property
    def type(self) -> str:
        """What the UI shows it as."""
        if self.mime == "application/pdf":
            return "pdf"
        family = self.mime.partition("/")[0]
        return family if family in ("image", "audio", "video", "text") else "file"

    async def read(self) -> bytes:
        """The bytes; ``BlobNotFoundError`` where the blob store has none, ``InvalidInputError``
        for a link.
        """
        if isinstance(self._source, bytes):
            return self._source
        if isinstance(self._source, OpenFile):
            return await asyncio.to_thread(self._source.path.read_bytes)
        if self._stored is None:
            raise InvalidInputError(f"{self.name} is a link, and nothing is fetched from there.")
        return await self._stored()

    async def data_url(self) -> str:
        """The bytes as a ``data:`` URL; the address of a link."""
        if self.url is not None:
            return self.url
        return f"data:{self.mime};base64,{base64.b64encode(await self.read()).decode()}"

    async def address(self) -> str | None:
        """Where anybody who has the address can read it, for a while; None where there is no such
        place: before it is posted, or for a script whose blobs are in a directory.
        """
        if self.url is not None or self._address is None:
            return self.url
        return await self._address()

    async def source(self) -> bytes | OpenFile | None:
        """What a blob is made from; None for a link."""
        if self.url is not None:
            return None
        return self._source if self._source is not None else await self.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentLimits:
    """What may be attached."""

    max_bytes: int = 50 * 2**20
    types: Collection[str] | None = None
    """MIME types, such as ``application/pdf`` and ``image/*``; None for all."""

    def check(self, attachment: Attachment) -> None:
        """``AttachmentTooLargeError`` or ``AttachmentTypeError``, or nothing."""
        if (attachment.size or 0) > self.max_bytes:
            raise AttachmentTooLargeError(
                f"{attachment.name} has {attachment.size} bytes; {self.max_bytes} are allowed."
            )
        if self.types is not None and not any(fnmatch(attachment.mime, t) for t in self.types):
            raise AttachmentTypeError(
                f"{attachment.name} is {attachment.mime}; allowed are {', '.join(self.types)}."
            )


Describe = Callable[[Attachment], Awaitable[Mapping[str, Any]]]
"""Finds something out about an attachment that was stored, to be added to its attributes."""


async def describe(attachment: Attachment) -> Mapping[str, Any]:
    """The beginning of a text, and what a JSON file says where that is not much."""
    if attachment.mime == "application/json" and (attachment.size or 0) <= _LARGEST_JSON:
        return {"parsed_content": json.loads(await attachment.read())}
    if attachment.type == "text":
        beginning = (await attachment.read())[: 4 * _PREVIEW]
        return {"text": beginning.decode("utf-8", "ignore")[:_PREVIEW]}
    return {}


async def pictures_among(attachments: Iterable[Attachment], images: ImagesAs) -> list[str]:
    """Those that are pictures, as a model takes them."""
    return [await _shown(each, images) for each in attachments if each.is_picture]


async def _shown(picture: Attachment, images: ImagesAs) -> str:
    address = await picture.address() if images == "url" else None
    return address or await picture.data_url()


async def line_of(attachment: Attachment) -> str:
    """What stands for an attachment in a text: its address, or its name where it has none."""
    return f"{await attachment.address() or attachment.name} ({attachment.mime})"


def picture_of(given: Any) -> Attachment:
    """A picture from bytes, a data URL, a link, one of Pillow's, or an ``Attachment``."""
    found = _attachment_of(given, "image")
    if not found.is_picture and found.url is None:
        raise InvalidInputError(f"{found.name} is {found.mime}, and no picture.")
    return (
        found if found.is_picture else Attachment.from_link(found.url or "", found.name, "image/*")
    )


def file_of(given: Any) -> Attachment:
    """A file from a data URL, a link, or an ``Attachment``."""
    if isinstance(given, bytes):
        raise InvalidInputError("Bytes need a name: give Attachment.from_bytes(content, name).")
    return _attachment_of(given, "file")


def _attachment_of(given: Any, word: str) -> Attachment:
    if isinstance(given, Attachment):
        return given
    if isinstance(given, bytes):
        return Attachment.from_bytes(given, _named(word, kind := _sniffed(given)), kind)
    if isinstance(given, str) and given.startswith("data:"):
        found = Attachment.from_data_url(given)
        return Attachment.from_data_url(given, _named(word, found.mime))
    if isinstance(given, str) and given.startswith(("http://", "https://")):
        return Attachment.from_link(given)
    if _is_pil(given):
        return Attachment.from_pil(given)
    raise InvalidInputError(
        "An attachment is bytes, a data URL, a link or an Attachment; for a file of this machine"
        " give Attachment.from_path(path)."
    )


def _is_pil(given: Any) -> bool:
    pillow = sys.modules.get("PIL.Image")  # who has a picture has loaded it
    return pillow is not None and isinstance(given, pillow.Image)


def _unpacked(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as exc:
        raise InvalidInputError("The data URL's base64 is broken.") from exc


def _sniffed(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    found = (kind for beginning, kind in _MAGIC.items() if content.startswith(beginning))
    return next(found, _UNKNOWN)


def _named(word: str, kind: str) -> str:
    return word + (mimetypes.guess_extension(kind) or "")
