"""How an element's bytes may be shown by a browser: pure functions from element to HTTP headers.

The MIME type of an element comes from whoever uploaded it. Were it sent back as it is, an upload
declared as HTML would run as a page of the app, with the session of whoever opens it. So only types
in which a browser runs nothing are sent under their own name; everything else is a download of
unnamed bytes.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from urllib.parse import quote

OPAQUE = "application/octet-stream"

# Kinds whose type the interface depends on, whatever was declared: it hands JSON to Plotly and the
# task list as parsed, and parses a dataframe's and shows a text's characters itself, which breaks
# as soon as they are called JSON.
_TYPE_OF_KIND = {
    "dataframe": "text/plain; charset=utf-8",
    "pdf": "application/pdf",
    "plotly": "application/json",
    "tasklist": "application/json",
    "text": "text/plain; charset=utf-8",
}
_MEDIA_KINDS = frozenset({"audio", "image", "video"})
_MEDIA_TYPE = re.compile(
    r"(?:audio|video)/[a-z0-9][a-z0-9.+-]*|image/(?:svg\+xml|[a-z0-9][a-z0-9.-]*)"
)
_DOWNLOAD_TYPES = frozenset(
    {"application/json", "application/pdf", "text/csv", "text/markdown", "text/plain"}
)

# Fetched by the page's scripts, which may not follow a redirect to a bucket without CORS rules.
_FETCHED_KINDS = frozenset({"dataframe", "pdf", "plotly", "tasklist", "text"})
# Sent again under the same id when the app changes them.
_CHANGING_KINDS = frozenset({"custom", "tasklist"})

_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'"
# No sandbox where a browser brings its own viewer, in which nothing of the file runs in the app's
# origin: in one, Chromium's player asks for the file without the cookie, and some do not show PDF.
_VIEWER = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; object-src 'self'"
_WITH_VIEWER = ("application/pdf", "audio/", "video/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementBlob:
    """An element that has bytes, in the blob store or right here."""

    key: str
    """The blob's key in the store; not looked at where there is ``content``."""
    name: str
    """What the user or the app called it; any text."""
    type: str
    """Chainlit's kind: image, text, pdf, file and so on."""
    mime: str | None
    """As whoever uploaded it declared it; not to be trusted."""
    display: str
    """inline, side or page."""
    content: bytes | None = None
    """The bytes themselves, where the row holds them and no blob does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """The headers that say what an element is, and how it may travel."""

    content_type: str
    disposition: str
    """The whole Content-Disposition value, ASCII only."""
    policy: str
    """The Content-Security-Policy, for when the element is opened on its own."""
    cache_control: str
    redirects: bool
    """Whether a redirect to the blob store serves as well as the bytes."""
    compressible: bool
    """Whether Chainlit's gzip middleware may have it."""


def presentation(blob: ElementBlob) -> Presentation:
    """How to send the element. Never raises, whatever name and type it was given."""
    content_type = _content_type(blob)
    return Presentation(
        content_type=content_type,
        disposition=content_disposition(blob.name, inline=_is_shown(blob.type, content_type)),
        policy=_VIEWER if content_type.startswith(_WITH_VIEWER) else _SANDBOX,
        cache_control="private, no-cache"
        if blob.type in _CHANGING_KINDS
        else "private, max-age=3600",
        redirects=blob.type not in _FETCHED_KINDS,
        compressible=content_type.startswith(("text/", "application/json")),
    )


def content_disposition(name: str, *, inline: bool) -> str:
    """A Content-Disposition (RFC 6266) with the name in the old form and, whole, in the current."""
    kind = "inline" if inline else "attachment"
    if not name:
        return kind
    plain = re.sub(r'[^ -~]|["\\%/]', "_", name)
    return (
        f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    )


def _content_type(blob: ElementBlob) -> str:
    if blob.type in _TYPE_OF_KIND:
        return _TYPE_OF_KIND[blob.type]
    declared = (blob.mime or mimetypes.guess_type(blob.name)[0] or OPAQUE).partition(";")[0]
    mime = declared.strip().lower()
    safe = _MEDIA_TYPE.fullmatch(mime) or (blob.type == "file" and mime in _DOWNLOAD_TYPES)
    return mime if safe else OPAQUE


def _is_shown(kind: str, content_type: str) -> bool:
    return kind in _TYPE_OF_KIND or (kind in _MEDIA_KINDS and content_type != OPAQUE)
