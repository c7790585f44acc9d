"""Header values that every S3 server accepts."""

from __future__ import annotations

import re
from email.message import Message
from urllib.parse import quote

__all__ = ["ascii_disposition", "media_type"]

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:\s*;[ -~]*)?", re.ASCII)


def media_type(text: str) -> str:
    """The text where it has the form of a media type, else that of unknown bytes."""
    return text if _MEDIA_TYPE.fullmatch(text) else "application/octet-stream"


def ascii_disposition(text: str) -> str:
    """A Content-Disposition with any file name in ASCII (RFC 6266); one that is so is unchanged."""
    if text.isascii() and text.isprintable():
        return text
    header = Message()
    header["Content-Disposition"] = text.replace("\r", "").replace("\n", "")
    name = quote(header.get_filename(""), safe="", errors="replace")
    return f"{header.get_content_disposition() or 'attachment'}; filename*=UTF-8''{name}"
