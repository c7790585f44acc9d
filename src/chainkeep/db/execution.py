"""Runs a statement, by its name, over a ``Connection``.

Text crosses here, and only here, between what Chainlit says and what both databases can hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Row

from chainkeep.db.dialects import PARAMETER_MARKS
from chainkeep.db.statements import STATEMENTS, Statement
from chainkeep.values import readable_text, stored_text

Rows = list[dict[str, Any]]


@cache
def _prepared(dialect: str, name: str) -> tuple[Statement, str, tuple[str, ...]]:
    statement = STATEMENTS[dialect][name]
    return statement, statement.numbered(PARAMETER_MARKS[dialect]), statement.binds_in_order


def run(connection: Connection, name: str, binds: Mapping[str, Any]) -> CursorResult[Any]:
    """The result of a statement with its binds: text, numbers, flags, and lists of text."""
    statement, sql, order = _prepared(connection.dialect.name, name)
    if statement.expands:
        return connection.execute(statement.clause, {key: _stored(binds[key]) for key in order})
    # Straight to the driver: what SQLAlchemy does to a text and its parameters takes longer than
    # SQLite does to run it.
    return connection.exec_driver_sql(sql, tuple([_stored(binds[key]) for key in order]))


def each(connection: Connection, name: str, many: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement once for each set of binds, in one round trip."""
    if len(many) == 1:
        return run(connection, name, many[0]).rowcount
    _, sql, order = _prepared(connection.dialect.name, name)
    parameters = [tuple([_stored(binds[key]) for key in order]) for binds in many]
    return connection.exec_driver_sql(sql, parameters).rowcount


def _stored(value: Any) -> Any:
    return stored_text(value) if type(value) is str else value


def many(connection: Connection, name: str, /, **binds: Any) -> Rows:
    """Every row."""
    result = run(connection, name, binds)
    columns = tuple(result.keys())
    return [_readable(columns, row) for row in result]


def one(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any] | None:
    """The first row, or None."""
    result = run(connection, name, binds)
    columns, row = tuple(result.keys()), result.first()
    return None if row is None else _readable(columns, row)


def returned(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any]:
    """The one row of a write that always returns one."""
    result = run(connection, name, binds)
    return _readable(tuple(result.keys()), result.one())


def execute(connection: Connection, name: str, /, **binds: Any) -> int:
    """How many rows were changed."""
    return run(connection, name, binds).rowcount


def _readable(columns: Sequence[str], row: Row[Any]) -> dict[str, Any]:
    return {
        column: readable_text(value) if type(value) is str else value
        for column, value in zip(columns, row, strict=True)
    }


def texts(values: Collection[str]) -> list[str]:
    """A list of text as a statement takes it."""
    return [stored_text(value) for value in values]
