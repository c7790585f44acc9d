"""The transactions that a change of the tables runs in.

SQLite locks the whole database at its beginning; PostgreSQL a name, at READ COMMITTED, so that who
had to wait for it sees what the other did.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, select

from chainkeep.db import migrations
from chainkeep.db.dialects import IMMEDIATE
from chainkeep.errors import MigrationError

__all__ = ["exclusive_transaction", "reading_transaction", "schema_name"]


@contextmanager
def exclusive_transaction(connection: Connection, *, keep: bool = True) -> Iterator[None]:
    """A transaction that no other migration or adoption runs beside; undone in the end if not kept.

    On SQLite nothing else writes meanwhile, whatever it is.
    """
    _set_options(connection, writing=True)
    with connection.begin() as transaction:
        _lock(connection)
        yield
        if not keep:
            transaction.rollback()


@contextmanager
def reading_transaction(connection: Connection) -> Iterator[None]:
    """A transaction to read in: the caller's, or one that ends here."""
    if connection.in_transaction():
        yield
        return
    _set_options(connection, writing=False)
    with connection.begin():
        yield


def schema_name(connection: Connection) -> str | None:
    """The schema that unqualified names are made in; None where the database knows no schemas."""
    if _locks_as_a_whole(connection):
        return None
    name: str | None = connection.scalar(select(func.current_schema()))
    if name is None:
        raise MigrationError("The database has no such schema; make it with: CREATE SCHEMA")
    return name


def _locks_as_a_whole(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _set_options(connection: Connection, *, writing: bool) -> None:
    if not _locks_as_a_whole(connection):
        connection.execution_options(isolation_level="READ COMMITTED")
    elif writing:
        connection.execution_options(**IMMEDIATE)


def _lock(connection: Connection) -> None:
    if not _locks_as_a_whole(connection):
        connection.exec_driver_sql(migrations.script("lock.postgresql.sql"))
    elif not _in_transaction(connection):
        # An engine that is not ours: its driver begins by itself, too late and without the lock.
        connection.exec_driver_sql(IMMEDIATE["chainkeep_begin"])


def _in_transaction(connection: Connection) -> bool:
    return bool(getattr(connection.connection.driver_connection, "in_transaction", False))
