"""The names under which blobs are stored."""

from __future__ import annotations

import re
from hashlib import sha256

__all__ = ["element_key", "is_key", "thread_prefix"]

_KEY = re.compile(r"[0-9a-f]+(?:/[0-9a-f]+)*")


def element_key(thread_id: str | None, element_id: str) -> str:
    """The key of an element's blob: 129 characters that tell nothing of either id.

    The same ids always give the same key, and different ids different keys, whatever text they are.
    """
    return thread_prefix(thread_id) + _segment(element_id)


def thread_prefix(thread_id: str | None) -> str:
    """What the keys of all blobs of a thread begin with, and no others."""
    return _segment(thread_id or "") + "/"


def is_key(text: str) -> bool:
    """Whether the text has the form of a key: then it is safe as a relative path."""
    return _KEY.fullmatch(text) is not None


def _segment(text: str) -> str:
    # Ids are arbitrary text, and may hold halves of surrogate pairs that UTF-8 proper refuses.
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
