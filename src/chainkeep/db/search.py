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
from chainkeep.db.search_queries import Filters, IndexState, Matches
from chainkeep.errors import InvalidInputError
from chainkeep.folding import fold
from chainkeep.models import Thread
from chainkeep.paging import NO_LIMIT, Cursor
from chainkeep.values import readable_text, stored_text

__all__ = ["Finder", "Search", "folded", "owner_mark", "pattern"]

# The databases limit how long a pattern is.
_LONGEST = 2000
# Of the newest threads no more than these are looked at before the index is asked: twice as many as
# are wanted, and more where some have the words, but too few. Words that are said often end there,
# and the index would name all the places where they are.
_FAR = 400
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
        newest activity first; perhaps more than were asked for. Reads several times; at one moment
        if the transaction is a snapshot.
        """
        words = folded(search.words)
        matches = self._indexed(connection, search, words)
        if not matches.waiting:
            return [row["id"] for row in matches.rows]
        places = {Cursor(row["last_activity_at"], row["id"]) for row in matches.rows}
        places |= _unindexed(connection, search, words)
        return [place.id for place in sorted(places, reverse=True)]

    def find_indexed(self, connection: Connection, search: Search) -> list[Thread] | None:
        """The threads that ``find`` finds, where all is indexed; None where something waits. The
        answer comes from one statement, though not the first: it needs no transaction.
        """
        matches = self._indexed(connection, search, folded(search.words), unless_waiting=True)
        return None if matches.waiting else [Thread.from_row(row) for row in matches.rows]

    def _indexed(
        self, connection: Connection, search: Search, words: str, *, unless_waiting: bool = False
    ) -> Matches:
        """What the last statement that was needed says."""
        if not self._knows(connection, words):
            return _walk(connection, search, words, reach=NO_LIMIT)
        reach = 2 * search.count
        while reach <= _FAR:
            near = _walk(connection, search, words, reach=reach)
            if len(near.rows) == search.count or (unless_waiting and near.waiting):
                return near
            reach = 2 * reach * search.count // len(near.rows) if near.rows else NO_LIMIT
        return _ask_index(connection, search, words)

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


def _walk(connection: Connection, search: Search, words: str, *, reach: int) -> Matches:
    everybody = search.filters.user_id is None
    walk = sql.search_walk_of_everybody if everybody else sql.search_walk_of_user
    return walk(
        connection,
        pattern=pattern(words),
        filters=search.filters,
        reach=reach,
        count=search.count,
    )


def _ask_index(connection: Connection, search: Search, words: str) -> Matches:
    trigrams = " AND ".join(map(_quoted, _trigrams(words)))
    if search.filters.user_id is None:
        return sql.search_found_of_everybody(
            connection,
            trigrams=trigrams,
            pattern=pattern(words),
            filters=search.filters,
            count=search.count,
        )
    return sql.search_found(
        connection,
        trigrams=trigrams,
        owner=owner_mark(search.filters.user_id),
        pattern=pattern(words),
        filters=search.filters,
        count=search.count,
    )


def _unindexed(connection: Connection, search: Search, words: str) -> set[Cursor]:
    """The places of the newest threads in which the words are where the index has not seen them."""
    backlog = sql.search_backlog(connection, count=_FEW)
    few = [list(dict.fromkeys(backlog))] if backlog else []
    portions = few if len(backlog) < _FEW else _portions(connection, search.filters)
    said = chain.from_iterable(
        sql.search_unindexed(connection, ids=ids, filters=search.filters) for ids in portions
    )
    found: set[Cursor] = set()
    stored = stored_text(words)
    for place, text in said:
        if place not in found and stored in stored_text(fold(text)):
            found.add(place)
            if len(found) == search.count:
                break
    return found


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
