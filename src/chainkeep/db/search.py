"""Finds the threads in which something is said, by the trigram index where that is the shorter way.

What the index has not seen is read where it is, so a search finds what was written just before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

from sqlalchemy import Connection

from chainkeep.db import search_queries as sql
from chainkeep.db.search_queries import Filters, IndexState
from chainkeep.errors import InvalidInputError
from chainkeep.folding import fold
from chainkeep.paging import Cursor
from chainkeep.values import readable_text, stored_text

__all__ = ["EVERYTHING", "Finder", "Search", "folded", "owner_mark", "pattern"]

EVERYTHING = 2**31 - 1
"""As many as there are."""

# The databases limit how long a pattern is.
_LONGEST = 2000
# So many of the newest threads are looked at before the index is asked: words that are said often
# are among them, and the index would name all the places where they are. Where some have the words,
# but too few for a page, it is worth to look at more.
_NEAR, _FAR = 40, 400
# More rows than these without an index, and each of the user's own threads is looked at instead.
_FEW = 500
_PORTION = 50
_MOST_TRIGRAMS = 12
_LETTERS = re.compile(r"[^\W_]{3}")
_ASCII_LETTERS = re.compile(r"[a-z0-9]{3}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, and where."""

    words: str
    """As they are typed; not empty."""
    filters: Filters
    count: int
    """How many threads at most."""


class Finder:
    """Finds threads, and remembers that there is an index."""

    def __init__(self) -> None:
        self._state: IndexState | None = None

    def find(self, connection: Connection, search: Search) -> list[str]:
        """The ids of the threads whose title, or a message in them, holds the words in any case;
        newest activity first. Reads several times; at one moment if the transaction is a snapshot.
        """
        words = folded(search.words)
        also = _unindexed(connection, search, words)
        if not self._knows(connection, words):
            return _walk(connection, search, words, also, reach=EVERYTHING)
        near = _walk(connection, search, words, also, reach=_NEAR)
        reach = 2 * _NEAR * search.count // max(1, len(near))
        if len(near) < search.count and reach <= _FAR:
            near = _walk(connection, search, words, also, reach=reach)
        if len(near) == search.count:
            return near
        return _ask_index(connection, search, words, also)

    def _knows(self, connection: Connection, words: str) -> bool:
        """Whether the index can narrow the words down."""
        state = self._state or sql.search_index_state(connection)
        self._state = state if state.ready else None
        if not state.ready or state.signs:
            return state.ready and bool(_trigrams(words))
        return (_LETTERS if state.letters else _ASCII_LETTERS).search(words) is not None


def folded(words: str) -> str:
    """Words as they are compared; ``InvalidInputError`` for more than 2,000 characters."""
    if len(words) > _LONGEST:
        raise InvalidInputError(f"Search for {_LONGEST:,} characters or fewer.")
    return fold(readable_text(stored_text(words)))


def pattern(folded_words: str) -> str:
    """A LIKE pattern for text that holds the words; none of their characters is a wildcard."""
    escaped = folded_words.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


def owner_mark(user_id: str) -> str:
    """Three characters that a user shares with few others; they are indexed with each text, so that
    a search need not go through what others said.
    """
    number = int.from_bytes(sha256(stored_text(user_id).encode()).digest()[:8], "big")
    # A digit first: it is in few words.
    return _DIGITS[number % 10] + _DIGITS[number // 10 % 36] + _DIGITS[number // 360 % 36]


def _trigrams(words: str) -> list[str]:
    """Some of the words' trigrams, but none that is stored in another form."""
    triples = (words[at : at + 3] for at in range(len(words) - 2))
    found = [each for each in dict.fromkeys(triples) if stored_text(each) == each]
    return found[:: -(-len(found) // _MOST_TRIGRAMS) or 1]


def _quoted(trigram: str) -> str:
    return '"' + trigram.replace('"', '""') + '"'


def _walk(
    connection: Connection, search: Search, words: str, also: list[str], *, reach: int
) -> list[str]:
    everybody = search.filters.user_id is None
    walk = sql.search_walk_of_everybody if everybody else sql.search_walk_of_user
    return walk(
        connection,
        pattern=pattern(words),
        also=also,
        filters=search.filters,
        reach=reach,
        count=search.count,
    )


def _ask_index(connection: Connection, search: Search, words: str, also: list[str]) -> list[str]:
    trigrams = " AND ".join(map(_quoted, _trigrams(words)))
    if search.filters.user_id is None:
        return sql.search_found_of_everybody(
            connection,
            trigrams=trigrams,
            pattern=pattern(words),
            also=also,
            filters=search.filters,
            count=search.count,
        )
    return sql.search_found(
        connection,
        trigrams=trigrams,
        owner=owner_mark(search.filters.user_id),
        pattern=pattern(words),
        also=also,
        filters=search.filters,
        count=search.count,
    )


def _unindexed(connection: Connection, search: Search, words: str) -> list[str]:
    """The newest threads in which the words are where the index has not seen them."""
    backlog = sql.search_backlog(connection, count=_FEW)
    few = [list(dict.fromkeys(backlog))] if backlog else []
    portions = few if len(backlog) < _FEW else _portions(connection, search.filters)
    said = chain.from_iterable(
        sql.search_unindexed(connection, ids=ids, filters=search.filters) for ids in portions
    )
    found: dict[str, None] = {}
    stored = stored_text(words)
    for place, text in said:
        if place.id not in found and stored in stored_text(fold(text)):
            found[place.id] = None
            if len(found) == search.count:
                break
    return list(found)


def _portions(connection: Connection, filters: Filters) -> Iterator[list[str]]:
    """The threads that are not indexed, newest first, some at a time."""
    place: Cursor | None = filters.place
    while place is not None:
        if filters.user_id is None:
            found = sql.search_backlog_of_everybody(connection, before=place, count=_PORTION)
        else:
            found = sql.search_backlog_of_user(
                connection, user_id=filters.user_id, before=place, count=_PORTION
            )
        if found:
            yield [thread.id for thread in found]
        place = found[-1] if len(found) == _PORTION else None
