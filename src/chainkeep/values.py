"""Text, JSON and time as the database holds them: the same from SQLite and PostgreSQL, and nothing
lost.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

__all__ = [
    "cleaned_json",
    "from_json",
    "is_starred",
    "json_object",
    "next_position",
    "readable_text",
    "reads_as_stored",
    "stored_text",
    "text_of_rows",
    "timestamp",
    "to_json",
    "utc_now",
]

# PostgreSQL's text cannot hold NUL, and a command line cuts SQLite's text at one. A NUL is
# therefore kept as two Unicode noncharacters, which no text is meant to contain; the first of them
# escapes itself too.
_ESCAPE = "\ufdd0"
_NUL = _ESCAPE + "\ufdd1"
_ESCAPED_ESCAPE = _ESCAPE + "\ufdd2"
_SURROGATES = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 100
# Python writes no decimal integer of more than 4,300 digits (sys.set_int_max_str_digits).
_MAX_INTEGER_BITS = 14_000


def stored_text(value: str) -> str:
    """``value`` as both databases can hold it; ``readable_text`` undoes it.

    A lone surrogate is no character and can be encoded nowhere, so it becomes U+FFFD for good.
    """
    if value.isascii():
        return value.replace("\0", _NUL) if "\0" in value else value
    value = value.replace(_ESCAPE, _ESCAPED_ESCAPE).replace("\0", _NUL)
    return _SURROGATES.sub("\ufffd", value)


_NEXT_LINE, _NEXT_ITEM, _NO_ITEM = "\x1d", "\x1f", "\x1e"
_WORDS: Mapping[object, str] = {None: _NO_ITEM, False: "0", True: "1"}
"""What most items are that are no text."""


def text_of_rows(rows: Sequence[Sequence[str | int | None]]) -> str:
    """Rows, each of as many items, as one text, as ``steps_put`` reads it: a line for each parted
    by 1D, its items by 1F, and 1E for a null.

    ``ValueError`` where it would not be read as it was: an item has one of these characters.
    """
    lines = [
        _NEXT_ITEM.join(
            [item if type(item) is str else _WORDS.get(item) or _word(item) for item in row]
        )
        for row in rows
    ]
    text = _NEXT_LINE.join(lines)
    if (
        text.count(_NEXT_LINE) >= len(rows)
        or text.count(_NEXT_ITEM) != sum(map(len, rows)) - len(rows)
        or text.count(_NO_ITEM) != sum([row.count(None) for row in rows])
    ):
        raise ValueError("These items cannot be one text.")
    return text


def _word(item: object) -> str:
    # Text of the app's own kind may call itself something else.
    return "".join(item) if isinstance(item, str) else str(item)


def readable_text(value: str) -> str:
    """What was handed to ``stored_text``."""
    if _ESCAPE not in value:
        return value
    return value.replace(_NUL, "\0").replace(_ESCAPED_ESCAPE, _ESCAPE)


def reads_as_stored(values: Iterable[object]) -> bool:
    """Whether ``readable_text`` would leave every text among the values as it is."""
    # One search through all of them takes a fraction of what a call for each would.
    return _ESCAPE not in "".join([value for value in filter(None, values) if type(value) is str])


# json.dumps makes an encoder at each call, which takes longer than to encode a step's metadata.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def to_json(value: object) -> str:
    """``value`` as compact JSON text, key order kept.

    What JSON has no word for is replaced, never refused.

    NaN and infinities become null, sets and tuples arrays, keys text, and any other object its
    ``str``.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        return _encode(cleaned_json(value))


def json_or_null(value: object) -> str | None:
    """``to_json``; None for None."""
    return None if value is None else to_json(value)


def from_json(text: str | None) -> Any:
    """The value of JSON text; None for no text."""
    return None if text is None else json.loads(text)


def json_object(text: str | None) -> dict[str, Any]:
    """The object in JSON text; empty for no text and for JSON that is no object."""
    if text == "{}":
        return {}
    value = from_json(text)
    return value if isinstance(value, dict) else {}


def cleaned_json(value: object, within: tuple[int, ...] = ()) -> Any:
    """A copy of ``value`` made of JSON's own types only, as ``to_json`` describes.

    What holds itself, and what is nested too deep, is cut short with an ellipsis. ``within`` is
    for the function's own use: what holds the value.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < _MAX_INTEGER_BITS else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return _words(value)
    if id(value) in within or len(within) > _MAX_DEPTH:
        return "…"
    within = (*within, id(value))
    if isinstance(value, Mapping):
        return {_key(key): cleaned_json(item, within) for key, item in value.items()}
    return [cleaned_json(item, within) for item in value]


def _key(key: object) -> str:
    plain = isinstance(key, (bool, int, float)) or key is None
    return json.dumps(key) if plain else _words(key)


def _words(value: object) -> str:
    try:
        words = str(value)
    except Exception:  # noqa: BLE001 - the app's own code, and no reason to lose a step
        words = object.__repr__(value)
    return _SURROGATES.sub("\ufffd", words)


def is_starred(metadata: Mapping[str, Any]) -> bool:
    """Whether a step's metadata says that it is a favourite; true alone does."""
    return metadata.get("favorite") is True


def utc_now() -> str:
    """The present as the database holds it: ``2026-01-31T23:59:59.000000Z``."""
    return _formatted(datetime.now(timezone.utc))


def timestamp(value: object) -> str | None:
    """``value`` (ISO 8601 text, or a datetime; UTC where no zone is named) in the database's form.

    None where it is no time. A ``Z`` appended to a time that has one already is forgiven: Chainlit
    does so when it marks a favourite.
    """
    if isinstance(value, str) and len(value) == _OUR_LENGTH and _is_ours(value):
        return value
    moment = value if isinstance(value, datetime) else _parsed(value)
    if moment is None:
        return None
    return _formatted(moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment)


_OUR_LENGTH = 27
_OURS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


# Chainlit gives the same time to several steps, and several times in each.
@lru_cache(maxsize=1000)
def _is_ours(value: str) -> bool:
    """Whether a time is in the database's form already, as nearly all of Chainlit's are."""
    if _OURS.fullmatch(value) is None or not value.isascii():
        return False
    try:
        datetime.fromisoformat(value[:-1])
    except ValueError:
        return False
    return True


_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)?\s*([+-]\d\d:?\d\d|[Zz])?[Zz]?"
)


def _parsed(value: object) -> datetime | None:
    # datetime.fromisoformat reads neither Z nor nanoseconds before Python 3.11.
    match = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    clock = clock or "00:00:00"
    clock = clock if len(clock) > 5 else f"{clock}:00"
    zone = "+00:00" if zone in (None, "Z", "z") else zone
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
    except ValueError:
        return None


def _formatted(moment: datetime) -> str:
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        moment = moment.replace(tzinfo=timezone.utc)
    return f"{moment.year:04}-{moment:%m-%dT%H:%M:%S.%f}Z"


class _Clock:
    last = 0


def next_position() -> int:
    """The present in microseconds since 1970, strictly greater than any returned before in this
    process.
    """
    _Clock.last = max(time.time_ns() // 1000, _Clock.last + 1)
    return _Clock.last
