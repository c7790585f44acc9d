"""What the element route has to know of an element to send its bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementBlob:
    """An element whose bytes are in the blob store."""

    key: str
    """The blob's key in the store."""
    name: str
    """What the user or the app called it; any text."""
    type: str
    """Chainlit's kind: image, text, pdf, file and so on."""
    mime: str | None
    """As whoever uploaded it declared it; not to be trusted."""
    display: str
    """inline, side or page."""
