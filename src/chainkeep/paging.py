"""A part of a list, and the place where the next part begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from chainkeep.errors import InvalidInputError
from chainkeep.models import Thread

__all__ = ["NEWEST", "NO_LIMIT", "Cursor", "Page", "portions"]

T = TypeVar("T")

NO_LIMIT = 2**31 - 1
"""As many as there are: the most that both databases take for a number of rows."""

_CURSOR_VERSION = 1


def portions(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The items in their order, at most so many at a time."""
    return (items[start : start + most] for start in range(0, len(items), most))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    items: list[T]
    next_cursor: str | None
    """Names the last item's place; None where nothing follows."""


class Cursor(NamedTuple):
    """A place in a list of threads. It stays valid when the thread it was made from is deleted."""

    last_activity_at: str
    id: str

    @classmethod
    def of(cls, thread: Thread) -> Cursor:
        """The place of a thread."""
        return cls(thread.last_activity_at, thread.id)

    def encode(self) -> str:
        """The cursor as opaque text."""
        packed = json.dumps([_CURSOR_VERSION, *self], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode()

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read what ``encode`` made; ``InvalidInputError`` for anything else."""
        try:
            version, last_activity_at, thread_id = json.loads(
                base64.b64decode(text, b"-_", validate=True)
            )
        except (ValueError, TypeError, binascii.Error) as exc:
            raise InvalidInputError(
                "The cursor is not one of ours; start again without one."
            ) from exc
        if (
            version != _CURSOR_VERSION
            or not isinstance(last_activity_at, str)
            or not isinstance(thread_id, str)
        ):
            raise InvalidInputError("The cursor is of another version; start again without one.")
        return cls(last_activity_at, thread_id)


NEWEST = Cursor("z", "")
"""Before the first thread of every list. A letter: in the order of a language, as a server may have
it, signs come before digits, and so before every time.
"""
