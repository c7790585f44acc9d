"""Which faults pass: what is written while they last is tried again, and then kept."""

from __future__ import annotations

import sqlite3

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from chainkeep.db.database import our_errors
from chainkeep.errors import StorageError, TransientStorageError


@pytest.mark.parametrize(
    "words",
    [
        "database is locked",
        "database or disk is full",
        "disk I/O error",
        "unable to open database file",
        "attempt to write a readonly database",
    ],
)
def test_a_disk_that_does_not_take_anything_may_take_it_later(words: str) -> None:
    # Python 3.10 tells these apart by their words alone.
    with pytest.raises(TransientStorageError), our_errors():
        raise OperationalError(None, None, sqlite3.OperationalError(words))


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.InternalClientError("cannot switch to state 12; another operation is in progress"),
        asyncpg.ReadOnlySQLTransactionError("a server that has just become a replica"),
        asyncpg.IdleInTransactionSessionTimeoutError("the server was too busy to be heard"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.DiskFullError("no room"),
        asyncpg.PostgresIOError("a bad disk"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_a_server_may_get_over_is_tried_again(fault: Exception) -> None:
    with pytest.raises(TransientStorageError), our_errors():
        raise fault


@pytest.mark.parametrize(
    "fault",
    [
        OperationalError(None, None, sqlite3.OperationalError("no such table: steps")),
        asyncpg.UndefinedTableError("no such table"),
        asyncpg.InternalClientError("something else"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_will_be_refused_again_is_not_tried_again(fault: Exception) -> None:
    with pytest.raises(StorageError) as raised, our_errors():
        raise fault
    assert not isinstance(raised.value, TransientStorageError)
