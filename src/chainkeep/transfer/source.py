"""One row of a table that somebody else wrote, read value by value; what cannot be read is kept."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from chainkeep.models import show_input_to_text
from chainkeep.values import cleaned_json, from_json, stored_text, timestamp, to_json

__all__ = ["SourceRow"]

_FLAGS = {"1": True, "true": True, "t": True, "0": False, "false": False, "f": False}
_INTEGER = re.compile(r"-?\d{1,9}")


class SourceRow:
    """Each column is read once, by the method for what it should be, and is then gone.

    What a method cannot give back goes to ``leftovers``; what nobody read is in ``whole`` or
    ``rest``. So nothing of the row can be lost by reading it.
    """

    def __init__(self, values: Mapping[str, Any], json_columns: Collection[str] = ()) -> None:
        self._values = dict(values)
        self._json_columns = json_columns
        self.leftovers: dict[str, object] = {}
        """Column to the value that has no place."""
        self.filled: Counter[str] = Counter()
        """Columns that were empty and may not be."""
        self.moved: tuple[str, ...] = ()
        """Columns that ``rest`` gave back."""

    def peek(self, column: str) -> object:
        """The value as it is, still to be read."""
        return self._values.get(column)

    def text(self, column: str) -> str | None:
        """Text, as the database keeps it; ids of any type become text too."""
        value = self._values.pop(column, None)
        if isinstance(value, bytes):
            self.leftovers[column] = value.hex()
            value = value.decode("utf-8", "replace")
        return None if value is None else stored_text(str(value))

    def text_or(self, column: str, default: str) -> str:
        """Text, or the default where there is none."""
        value = self.text(column)
        if value is None and default:
            self.filled[column] += 1
        return default if value is None else value

    def flag(self, column: str) -> bool | None:
        value = self._values.pop(column, None)
        if value is None:
            return None
        known = _FLAGS.get(str(value).strip().lower())
        self._keep_unless(known is not None, column, value)
        return known

    def number(self, column: str) -> int | None:
        """A whole number that an INTEGER column can hold."""
        value = self._values.pop(column, None)
        number = int(value) if _INTEGER.fullmatch(str(value)) else None
        self._keep_unless(number is not None, column, value)
        return number

    def time(self, column: str) -> str | None:
        """A time in the database's form. A ``Z`` is believed, although some wrote local time so."""
        value = self._values.pop(column, None)
        moment = timestamp(value)
        self._keep_unless(moment is not None, column, value)
        return moment

    def time_or(self, column: str, *defaults: str | None) -> str:
        """A time, or the first default that is one."""
        moment = self.time(column)
        if moment is None:
            self.filled[column] += 1
        return moment or next(filter(None, defaults))

    def show_input(self, column: str) -> str | None:
        """``showInput`` as our column holds it."""
        value = self._values.pop(column, None)
        word = str(value).lower() if isinstance(value, bool) else value
        if word in (None, "", "none"):  # "none" is what the built-in layer made of None
            return None
        word = stored_text(str(word))
        return word if word in ("true", "false") else show_input_to_text(word)

    def json_object(self, column: str) -> str:
        """A JSON object's text; an empty one where there is none."""
        value = self._values.pop(column, None)
        found = _read_json(value)
        if isinstance(found.content, dict):
            self._keep_unless(found.exact, column, value)
            return found.text
        self._keep_unless(found.exact and found.content is None, column, value)
        return "{}"

    def json(self, column: str) -> str | None:
        """JSON text; None for no JSON, and for ``null``."""
        value = self._values.pop(column, None)
        found = _read_json(value)
        self._keep_unless(found.exact, column, value)
        return None if found.content is None else found.text

    def tags(self, column: str) -> str | None:
        """A JSON array's text; whatever else it is becomes the only item."""
        value = self._values.pop(column, None)
        found = _read_json(value)
        if found.content is None and not found.exact:
            return to_json([value])
        if found.content is None or isinstance(found.content, list):
            return None if found.content is None else found.text
        return to_json([found.content])

    def leave(self, column: str) -> None:
        """Keep the value aside; the column reads as empty."""
        self._keep_unless(False, column, self._values.pop(column, None))

    def whole(self) -> dict[str, Any]:
        """What has not been read, nulls left out."""
        return {
            name: from_json(value) if name in self._json_columns else value
            for name, value in self._values.items()
            if value is not None
        }

    def rest(self) -> str | None:
        """What has not been read, as a JSON object; None where nothing is left."""
        rest = self.whole()
        self.moved = tuple(rest)
        self._values.clear()
        return to_json(rest) if rest else None

    def _keep_unless(self, safe: bool, column: str, value: object) -> None:
        if not safe and value is not None:
            self.leftovers[column] = value


class _Json(NamedTuple):
    content: Any
    text: str
    exact: bool
    """Whether the content is what the text says, and the text can be handed on."""


_MALFORMED = _Json(None, "null", exact=False)


def _read_json(value: Any) -> _Json:
    """Read JSON text, kept to the letter where it can be; or what the driver has read already."""
    if not isinstance(value, str):
        return _Json(value, to_json(value), exact=True)
    try:
        content = json.loads(value)
    except (ValueError, RecursionError):
        return _MALFORMED
    if isinstance(content, str):
        return _unwrapped(content, value)
    if _may_be_handed_on(value, content):
        return _Json(content, value, exact=True)
    return _Json(content, to_json(cleaned_json(content)), exact=False)


def _unwrapped(content: str, value: str) -> _Json:
    """Undo a second encoding, if that is what it is."""
    inner = _read_json(content)
    twice = isinstance(inner.content, (dict, list)) or (inner.content is None and inner.exact)
    return inner if twice else _Json(content, value, exact=True)


def _may_be_handed_on(text: str, content: object) -> bool:
    # JSON knows no NaN and no infinities, UTF-8 no lone surrogates; Python reads them all the same.
    if not any(word in text for word in ("NaN", "Infinity", "\\ud", "\\uD")):
        return True
    try:
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True
