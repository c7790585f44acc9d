"""What differs between SQLite and PostgreSQL: engine options, how a write begins, and what a fault
means.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
import sys
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from chainkeep.db import migrations
from chainkeep.db.drivers import driver_of
from chainkeep.errors import StorageError, TransientStorageError, UnsupportedDatabaseError
from chainkeep.settings import DatabaseSettings

__all__ = [
    "DIALECT_NAMES",
    "IMMEDIATE",
    "PARAMETER_MARKS",
    "RECYCLE_SECONDS",
    "begin",
    "connections_to_keep",
    "driver_errors",
    "give_way",
    "is_in_memory",
    "is_lost",
    "is_refusal",
    "is_transient",
    "loop_engine",
    "needs_transactions",
    "prepare_to_write",
    "run_long",
    "runs_in_thread",
    "storage_error",
    "supported_url",
    "thread_engine",
]

DIALECT_NAMES = ("sqlite", "postgresql")

PARAMETER_MARKS = {"sqlite": "?", "postgresql": "$"}
"""What stands before a parameter's number."""

IMMEDIATE = {"chainkeep_begin": "BEGIN IMMEDIATE"}
"""Execution options of a connection that is going to write."""

RECYCLE_SECONDS = 1800
"""How long a connection is used before another takes its place."""

_KEPT = 4
_MOST_SECONDS = 60
_LONG_SECONDS = 24 * 3600

_DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg"}


def supported_url(text: str) -> URL:
    """The URL, with its driver filled in where none is named; ``UnsupportedDatabaseError`` for
    other databases.
    """
    try:
        url = make_url(text)
    except ArgumentError as exc:
        raise UnsupportedDatabaseError from exc
    name = {"postgres": "postgresql"}.get(url.get_backend_name(), url.get_backend_name())
    driver = _DRIVERS.get(name)
    if driver is None or ("+" in url.drivername and url.get_driver_name() != driver):
        raise UnsupportedDatabaseError(
            f"{url.drivername}:// is not supported; use sqlite+aiosqlite:// or postgresql+asyncpg://."
        )
    return url.set(drivername=f"{name}+{driver}")


def runs_in_thread(url: URL) -> bool:
    """Whether statements run in a database thread (SQLite), not on the event loop (PostgreSQL)."""
    return url.get_backend_name() == "sqlite"


def is_in_memory(url: URL) -> bool:
    """Whether the database lives in one connection and goes with it."""
    name = url.database or ":memory:"
    return ":memory:" in name or url.query.get("mode") == "memory"


def thread_engine(url: URL, settings: DatabaseSettings) -> Engine:
    """An engine for database threads: WAL, every commit synced to disk, transactions begun as we
    say.
    """
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": 8}
    if is_in_memory(url):
        options = {"hide_parameters": True, "poolclass": StaticPool}
    elif url.database and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        connect_args={
            "check_same_thread": False,
            "timeout": settings.lock_timeout_seconds,
            **settings.connect_args,
        },
        **{**options, **settings.engine_options},
    )
    event.listen(engine, "connect", partial(_prepare_sqlite, settings.lock_timeout_seconds))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(patience: float, connection: Any, _record: object) -> None:
    # Without this the driver begins transactions by itself, and deferred ones, which fail at once
    # under contention instead of waiting for the lock.
    connection.isolation_level = None
    _write_ahead(connection, patience)
    connection.execute("PRAGMA synchronous = FULL")
    # The log goes into the file when it has so many pages, 16 MB: a page that is written again and
    # again until then is copied once.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    # SQLite's own LOWER and LIKE know ASCII letters only.
    connection.create_function("LOWER", 1, _lower, deterministic=True)


def _write_ahead(connection: Any, patience: float) -> None:
    """Switch the file over. Here SQLite does not wait for another process's write by itself."""
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def prepare_to_write(connection: Connection) -> None:
    """Make what a connection of ``thread_engine`` that writes has for itself."""
    driver_of(connection).executescript(migrations.script("writing.sqlite.sql"))


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get("chainkeep_begin", "BEGIN")
    # Straight to the driver: this runs with every write, and SQLAlchemy has just told its log.
    driver_of(connection).execute(begin)


def loop_engine(url: URL, settings: DatabaseSettings) -> AsyncEngine:
    """An engine on the running event loop."""
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_size - connections_to_keep(settings),
        "pool_recycle": RECYCLE_SECONDS,
    }
    engine = create_async_engine(
        url, connect_args=dict(_connect_args(settings)), **{**options, **settings.engine_options}
    )
    if settings.schema and needs_transactions(settings):
        event.listen(engine.sync_engine, "begin", partial(_set_schema, settings.schema))
    return engine


def connections_to_keep(settings: DatabaseSettings) -> int:
    """How many connections stay open beside the pool; none where the app sets that up itself."""
    own_pool = any(name.startswith(("pool", "max_overflow")) for name in settings.engine_options)
    return 0 if own_pool else min(_KEPT, settings.pool_size)


def begin(settings: DatabaseSettings, isolation_level: str) -> str:
    """The command that begins a transaction on a connection that awaits."""
    command = f"BEGIN ISOLATION LEVEL {isolation_level};"
    if settings.schema and needs_transactions(settings):
        command += f" {_schema_command(settings.schema)};"
    return command


def needs_transactions(settings: DatabaseSettings) -> bool:
    """Whether reads need a transaction: outside one, a pooler may prepare a statement on one server
    connection and run it on another, and forgets which schema was chosen.
    """
    return settings.pgbouncer


def run_long(connection: Connection, command: str) -> None:
    """Run a command that takes as long as there is history, such as one that makes an index: past
    the time after which a statement is given up. Within a transaction that is under way.
    """
    if connection.dialect.driver == "asyncpg":
        await_only(driver_of(connection).execute(command, timeout=_LONG_SECONDS))
    else:
        connection.exec_driver_sql(command)


def give_way(connection: Connection) -> None:
    """Let whatever else waits for the event loop run, where the connection is on one."""
    # A database thread has no loop to hold up, and the interpreter takes turns with it anyway.
    if connection.dialect.is_async:
        await_only(asyncio.sleep(0))


def is_refusal(exc: BaseException) -> bool:
    """Whether a statement refused what it was to write, and says so by failing."""
    original = getattr(exc, "orig", None) or exc
    # SQLite's is a trigger's; PostgreSQL is made to read the word as a flag, and quotes it.
    no_flag = getattr(original, "sqlstate", None) == "22P02"
    return str(original) == "refused" or (no_flag and "refused" in str(original))


def _connect_args(settings: DatabaseSettings) -> Iterator[tuple[str, Any]]:
    # Else a server that no longer answers would hold up a write, and all behind it, for good.
    yield "timeout", 10
    yield "command_timeout", _MOST_SECONDS
    server_settings = {"application_name": "chainkeep"}
    if settings.pgbouncer:
        # The pooler may run each transaction on another server connection, where nothing is
        # prepared.
        yield "statement_cache_size", 0
        yield "prepared_statement_cache_size", 0
        yield "prepared_statement_name_func", lambda: f"__asyncpg_{uuid.uuid4()}__"
    elif settings.schema:
        server_settings["search_path"] = quoted_identifier(settings.schema)
    if settings.ssl_require:
        yield "ssl", ssl.create_default_context()
    if settings.password_provider:
        yield "password", settings.password_provider
    server_settings.update(settings.connect_args.get("server_settings", {}))
    yield "server_settings", server_settings
    yield from (
        (name, value) for name, value in settings.connect_args.items() if name != "server_settings"
    )


def quoted_identifier(name: str) -> str:
    """A name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def _set_schema(schema: str, connection: Connection) -> None:
    connection.exec_driver_sql(_schema_command(schema))


def _schema_command(schema: str) -> str:
    return f"SET LOCAL search_path TO {quoted_identifier(schema)}"


# Among them: a server that has become a replica (25006), is out of room (53), or whose disk fails
# (58).
_TRANSIENT_STATES = ("08", "25006", "25P03", "40001", "40P01", "53", "55P03", "57", "58")
_DATA_STATE = "22"  # its messages quote the value
# SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL: the file may be written later.
_TRANSIENT_CODES = {5, 6, 8, 10, 13, 14, 15}
_TRANSIENT_WORDS = (
    # Python 3.10 gives no error code.
    "database is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    # asyncpg, when a connection died under it.
    "cannot switch to state",
    "connection is closed",
)


def driver_errors() -> tuple[type[BaseException], ...]:
    """What a driver, or SQLAlchemy for it, raises."""
    asyncpg = sys.modules.get("asyncpg")
    if asyncpg is None:
        own: tuple[type[BaseException], ...] = ()
    else:
        own = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    # OverflowError: an integer of more than 64 bits.
    others = (OSError, TimeoutError, asyncio.TimeoutError, OverflowError)
    return (SQLAlchemyError, sqlite3.Error, *others, *own)


_LOST = (OSError, TimeoutError, asyncio.TimeoutError, PoolTimeoutError)


def is_lost(exc: BaseException) -> bool:
    """Whether what raised a driver's error may never be heard of again on that connection."""
    return isinstance(exc, _LOST) or isinstance(getattr(exc, "orig", None), _LOST)


_POOLER_HINT = "; behind PgBouncer in transaction mode set pgbouncer=True (CHAINKEEP_PGBOUNCER=1)"


def storage_error(exc: BaseException) -> StorageError:
    """Our error for a driver's, saying what it is and never what it was about: no row's content."""
    original = getattr(exc, "orig", None) or exc
    message = f"The database refused: {type(original).__name__}: {_reason(original)}"
    if "prepared statement" in message:
        message += _POOLER_HINT
    if is_transient(exc):
        return TransientStorageError(f"{message}; it may work when tried again.")
    return StorageError(message)


def _reason(original: object) -> str:
    state = getattr(original, "sqlstate", None) or ""
    if state.startswith(_DATA_STATE):
        return f"a value is not valid (SQLSTATE {state})"
    # What follows the first line quotes rows.
    return str(original).partition("\n")[0][:200]


def is_transient(exc: BaseException) -> bool:
    """Whether what raised a driver's error may work when it is tried again."""
    original = getattr(exc, "orig", None) or exc
    if is_lost(exc):
        return True
    if isinstance(exc, DBAPIError) and exc.connection_invalidated:
        return True
    state = getattr(original, "sqlstate", None) or ""
    code = getattr(original, "sqlite_errorcode", 0) & 0xFF
    message = str(original)
    return (
        state.startswith(_TRANSIENT_STATES)
        or code in _TRANSIENT_CODES
        or any(words in message for words in _TRANSIENT_WORDS)
    )
