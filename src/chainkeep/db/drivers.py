"""Statements on their straight way to the driver: past SQLAlchemy, which takes longer over a short
one than the driver does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.util import await_only

__all__ = [
    "STRAIGHT",
    "Table",
    "Values",
    "change",
    "change_each",
    "change_soon",
    "driver_of",
    "fetch",
    "is_straight",
    "tell",
]

Values = Sequence[Any]
"""A row, its columns in the statement's order."""

STRAIGHT = {"chainkeep_straight": True}
"""Execution options of a connection whose transactions do not wait for SQLAlchemy to begin them."""


class Table(NamedTuple):
    """What a statement found."""

    columns: tuple[str, ...]
    """Their names; none where there are no rows."""
    rows: Sequence[Values]


def fetch(connection: Connection, sql: str, parameters: Values) -> Table:
    """Every row of a statement."""
    if not is_straight(connection):
        result = connection.exec_driver_sql(sql, tuple(parameters))
        columns, rows = tuple(result.keys()), list(result.cursor.fetchall())
        result.close()
        return Table(columns, rows)
    driver = driver_of(connection)
    if connection.dialect.is_async:
        rows = await_only(driver.fetch(sql, *parameters))
        return Table(tuple(rows[0].keys()) if rows else (), rows)
    cursor = driver.execute(sql, parameters)
    return Table(tuple(column[0] for column in cursor.description), cursor.fetchall())


def change(connection: Connection, sql: str, parameters: Values) -> int:
    """How many rows a statement changed."""
    if not is_straight(connection):
        return connection.exec_driver_sql(sql, tuple(parameters)).rowcount
    if connection.dialect.is_async:
        status = await_only(driver_of(connection).execute(sql, *parameters))
        return int(status.rpartition(" ")[2])
    return int(driver_of(connection).execute(sql, parameters).rowcount)


async def change_soon(connection: Connection, sql: str, parameters: Values) -> None:
    """``change`` on a straight connection of a driver that awaits, from a coroutine."""
    await driver_of(connection).execute(sql, *parameters)


def change_each(connection: Connection, sql: str, many: Sequence[Values]) -> int:
    """Run a statement once for each set of parameters, in one round trip; how many rows it changed,
    -1 where the driver does not say.
    """
    if not is_straight(connection):
        return connection.exec_driver_sql(sql, [tuple(values) for values in many]).rowcount
    if connection.dialect.is_async:
        await_only(driver_of(connection).executemany(sql, many))
        return -1
    return int(driver_of(connection).executemany(sql, many).rowcount)


def tell(connection: Connection, command: str) -> None:
    """Give a driver that awaits a command: to begin a transaction, or to end it."""
    await_only(driver_of(connection).execute(command))


def driver_of(connection: Connection) -> Any:
    """The driver's own connection."""
    pooled = cast("DBAPIConnection", connection.connection.dbapi_connection)
    return connection.dialect.get_driver_connection(pooled)


def is_straight(connection: Connection) -> bool:
    """Whether nobody asked SQLAlchemy to be told of each statement: a log, a tracer, a test."""
    watchers = connection.dispatch
    return (
        "chainkeep_straight" in connection.get_execution_options()
        and not watchers.before_cursor_execute
        and not watchers.after_cursor_execute
        and not connection.engine.logger.isEnabledFor(logging.INFO)
    )
