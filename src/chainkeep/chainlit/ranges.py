"""Which bytes of a blob a request asks for: RFC 9110, sections 13 and 14, for one representation.

Pure functions. Entity tags are passed quoted, as they stand in the header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

# More than 19 digits is no offset into any blob, and int() refuses thousands of them.
_ONE_RANGE = re.compile(r"bytes=\s*([0-9]{0,19})-([0-9]{0,19})\s*", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


@dataclass(frozen=True, slots=True)
class Answer:
    """The status to answer with, and the bytes that go with it (none with 304 and 416)."""

    status: HTTPStatus
    part: range


def answer_to(headers: Mapping[str, str], *, etag: str, size: int) -> Answer:
    """What to answer to a GET or HEAD with these headers (lower-case names): 200, 206, 304 or 416.

    A Range that is malformed, of another unit, or of several ranges is ignored, as the RFC allows.
    """
    if is_known(headers.get("if-none-match"), etag):
        return Answer(HTTPStatus.NOT_MODIFIED, range(0))
    part = wanted_range(headers.get("range"), size)
    if part is None or not _is_same(headers.get("if-range"), etag):
        return Answer(HTTPStatus.OK, range(size))
    return Answer(
        HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, part
    )


def wanted_range(header: str | None, size: int) -> range | None:
    """The bytes that a Range header names: None for all of them, empty where none of them exist."""
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the client already has this version; entity tags are compared weakly."""
    if if_none_match is None:
        return False
    known = _ENTITY_TAG.findall(if_none_match)
    return if_none_match.strip() == "*" or etag.removeprefix("W/") in known


def _is_same(if_range: str | None, etag: str) -> bool:
    # Compared strongly; a date never matches, since blobs have none.
    return if_range is None or (if_range.strip() == etag and not etag.startswith("W/"))
