"""Work to run on databases, and what goes wrong there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, make_url, text
from sqlalchemy.util import await_only

from chainkeep.db import step_queries
from chainkeep.db.step_queries import Touch
from chainkeep.values import utc_now

SECRET = "a text that only the two of us may know"


def touch(*thread_ids: str) -> Callable[[Connection], None]:
    """Makes threads."""
    touches = [Touch(id=thread_id, created_at=utc_now()) for thread_id in thread_ids]
    return lambda connection: step_queries.thread_touch(connection, touches)


def ids_of(connection: Connection) -> set[str]:
    """The ids of all threads."""
    return {row.id for row in connection.execute(text("SELECT id FROM threads"))}


class Turn:
    """What work and a test tell each other, wherever the work runs: in a thread or on the loop."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def come(self) -> None:
        """Set the event, from work."""
        self._loop.call_soon_threadsafe(self.event.set)

    def wait(self, connection: Connection) -> None:
        """Wait for the event, in work."""
        if connection.dialect.is_async:
            await_only(self.event.wait())
        else:
            asyncio.run_coroutine_threadsafe(self.event.wait(), self._loop).result(10)


@contextmanager
def held_by_another_process(url: str) -> Iterator[None]:
    """A write lock on an SQLite file that somebody else holds."""
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read()"
    )
    path = make_url(url).database
    assert path is not None
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.stdin.close()
