"""Counts what a call says to its database, and what it hears: statements, commits, round trips,
rows and their bytes, exactly.

On PostgreSQL a proxy reads along; a round trip is what ends with the server's ReadyForQuery, and a
row is as long as its message. On SQLite the driver reports every statement and every row.
"""

from __future__ import annotations

import asyncio
import sqlite3
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from chainlit.types import Pagination, ThreadFilter
from sqlalchemy import event
from sqlalchemy.pool import Pool

from benchmarks import writes
from benchmarks.chat import ANSWER, Turn
from benchmarks.measure import Sample, complaints
from benchmarks.peers import Layer, Place
from benchmarks.reads import FOUND, PAGE
from benchmarks.seed import COMMON_WORD
from benchmarks.subject import Subject

__all__ = ["Tally", "counts"]

_BEGINNINGS = ("BEGIN", "START", "SAVEPOINT", "RELEASE")
_HOUSEKEEPING = ("PRAGMA", "SET", "SHOW", "DEALLOCATE", "ROLLBACK", "SELECT PG_ADVISORY_UNLOCK_ALL")


@dataclass(slots=True)
class Tally:
    """What was counted so far."""

    statements: int = 0
    """Those that read or write rows."""
    commits: int = 0
    round_trips: int = 0
    """Waits for the server; none where there is no server."""
    rows: int = 0
    """Those that came from the database."""
    bytes: int = 0
    """What was in them."""

    def clear(self) -> None:
        """Begin again."""
        self.statements = self.commits = self.round_trips = self.rows = self.bytes = 0

    def note(self, sql: str) -> None:
        """Count a statement as what it is."""
        words = sql.lstrip().upper()
        if words.startswith(("COMMIT", "END")):
            self.commits += 1
        elif not words.startswith((*_BEGINNINGS, *_HOUSEKEEPING)):
            self.statements += 1

    def note_row(self, size: int) -> None:
        """Count a row of so many bytes."""
        self.rows += 1
        self.bytes += size


class Protocol:
    """Follows one connection to PostgreSQL, in both directions."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffers = {True: bytearray(), False: bytearray()}
        self._typed = False
        self._prepared: dict[bytes, str] = {}
        self._bound = b""

    def read(self, data: bytes, *, from_client: bool) -> None:
        """Take what went over the line."""
        self._buffers[from_client] += data
        for kind, body in self._messages(self._buffers[from_client], from_client):
            if from_client:
                self._asked(kind, body)
            elif kind == b"D":
                self._tally.note_row(len(body))
            elif kind == b"Z":
                self._tally.round_trips += 1

    def _messages(self, buffer: bytearray, from_client: bool) -> Iterator[tuple[bytes, bytes]]:
        while True:
            # The first thing that a client says has no type.
            start = 1 if self._typed or not from_client else 0
            if len(buffer) < start + 4:
                return
            (length,) = struct.unpack_from(">I", buffer, start)
            if len(buffer) < start + length:
                return
            yield bytes(buffer[:start]), bytes(buffer[start + 4 : start + length])
            del buffer[: start + length]
            self._typed = True

    def _asked(self, kind: bytes, body: bytes) -> None:
        if kind == b"Q":
            self._tally.note(body.rstrip(b"\0").decode())
        elif kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self._prepared[name] = sql.decode()
        elif kind == b"B":
            self._bound = body.split(b"\0", 2)[1]
        elif kind == b"E":
            self._tally.note(self._prepared[self._bound])


@asynccontextmanager
async def _proxied(place: Place, tally: Tally) -> AsyncIterator[Place]:
    """The same database, by way of the counting proxy."""
    server = urlsplit(place.url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(server.hostname, server.port)
        protocol = Protocol(tally)
        await asyncio.gather(
            _pass_on(reader, back, protocol, from_client=True),
            _pass_on(there, writer, protocol, from_client=False),
        )

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    url = server._replace(netloc=f"{server.username}@127.0.0.1:{port}", query="ssl=disable")
    try:
        yield replace(place, url=url.geturl())
    finally:
        proxy.close()


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    protocol: Protocol,
    *,
    from_client: bool,
) -> None:
    while data := await reader.read(65536):
        protocol.read(data, from_client=from_client)
        writer.write(data)
    writer.close()


@contextmanager
def _traced(tally: Tally) -> Iterator[None]:
    """Count on every SQLite connection that SQLAlchemy opens meanwhile."""

    def trace(connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            _listen(connection, tally)
        else:
            connection.run_async(lambda driver: driver.set_trace_callback(tally.note))
            _count_rows(connection.driver_connection, tally)

    event.listen(Pool, "connect", trace)
    try:
        yield
    finally:
        event.remove(Pool, "connect", trace)


def _listen(connection: sqlite3.Connection, tally: Tally) -> None:
    connection.set_trace_callback(tally.note)
    _count_rows(connection, tally)


def _count_rows(connection: Any, tally: Tally) -> None:
    made = connection.row_factory

    def count(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Any:
        tally.note_row(sum(len(str(value).encode()) for value in row if value is not None))
        return row if made is None else made(cursor, row)

    connection.row_factory = count


@asynccontextmanager
async def _counted(subject: Subject, tally: Tally) -> AsyncIterator[Layer]:
    """Another layer on the subject's database, with everything that it says counted."""
    if subject.candidate.database == "PostgreSQL":
        async with _proxied(subject.place, tally) as place:
            layer = subject.candidate.open(place)
            yield layer
            await layer.close()
        return
    with _traced(tally):
        layer = subject.candidate.open(subject.place)
        connection = getattr(layer, "connection", None)  # the floor's, made without SQLAlchemy
        if connection is not None:
            _listen(connection, tally)
        yield layer
        await layer.close()


Operation = Callable[[Layer], Awaitable[object]]


def _reads(subject: Subject) -> dict[str, Operation]:
    seed, most = subject.seed, subject.seed.scale.users[-1]
    user = ThreadFilter(userId=seed.user_id(most))
    found = ThreadFilter(userId=seed.user_id(most), search=COMMON_WORD)
    thread_id = seed.thread_of(seed.scale.lengths[0])
    return {
        "list_threads": lambda layer: layer.list_threads(Pagination(first=PAGE), user),
        "list_threads, search": lambda layer: layer.list_threads(Pagination(first=FOUND), found),
        "get_thread": lambda layer: layer.get_thread(thread_id),
        "get_favorite_steps": lambda layer: layer.get_favorite_steps(seed.user_id(most)),
        "get_user": lambda layer: layer.get_user(seed.identifier(most)),
        "get_thread_author": lambda layer: layer.get_thread_author(thread_id),
    }


def _writes(subject: Subject, turn: Turn) -> dict[str, Operation]:
    return {
        "create_step": lambda layer: layer.create_step(turn.question()),
        "update_step": lambda layer: layer.update_step(turn.answer(ANSWER)),
        "a turn, awaited": lambda layer: writes.awaited_turn(
            layer, Turn(turn.thread_id, turn.label)
        ),
        "a turn, fired": lambda layer: writes.fired_turn(layer, Turn(turn.thread_id, turn.label)),
        "create_element": lambda layer: layer.create_element(writes.upload(turn)),
        "delete_thread": lambda layer: layer.delete_thread(next(subject.deletable)),
    }


async def counts(subject: Subject) -> dict[str, Tally]:
    """What each operation costs when it is done for the second time. The reads come first: a search
    has more to do while something waits to be indexed.
    """
    tally = Tally()
    counted: dict[str, Tally] = {}
    # What is wrong with an operation is reported where it is timed.
    with complaints(Sample()):
        async with _counted(subject, tally) as layer:
            counted |= await _each(_reads(subject), layer, tally)
            [thread_id] = await subject.new_threads(1)
            turn = Turn(thread_id, subject.label())
            counted |= await _each(_writes(subject, turn), layer, tally)
    return counted


async def _each(
    operations: Mapping[str, Operation], layer: Layer, tally: Tally
) -> dict[str, Tally]:
    counted: dict[str, Tally] = {}
    for name, operation in operations.items():
        await operation(layer)
        await asyncio.sleep(0.1)  # what a layer leaves to the background is not the next's
        tally.clear()
        await operation(layer)
        counted[name] = replace(tally)
    return counted
