"""What the element route has to know of an element to send its bytes."""

from __future__ import annotations

from dataclasses import dataclass


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
