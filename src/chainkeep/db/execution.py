"""Runs a statement, by its name, over a ``Connection``.

Text crosses here, and only here, between what Chainlit says and what both databases can hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult

from chainkeep.db.dialects import PARAMETER_MARKS, give_way
from chainkeep.db.statements import STATEMENTS, Statement
from chainkeep.values import readable_text, reads_as_stored, stored_text

Rows = list[dict[str, Any]]
Values = Sequence[Any]
"""A row, its columns in the statement's order."""

_SLICE = 100


@cache
def _prepared(dialect: str, name: str) -> tuple[Statement, str, tuple[str, ...]]:
    statement = STATEMENTS[dialect][name]
    return statement, statement.numbered(PARAMETER_MARKS[dialect]), statement.binds_in_order


def has(connection: Connection, name: str) -> bool:
    """Whether the database has a statement; nearly all are for both."""
    return name in STATEMENTS[connection.dialect.name]


@lru_cache(maxsize=1000)
def _spread(dialect: str, name: str, sizes: tuple[tuple[str, int], ...]) -> str:
    return STATEMENTS[dialect][name].spread(PARAMETER_MARKS[dialect], dict(sizes))


def run(connection: Connection, name: str, binds: Mapping[str, Any]) -> CursorResult[Any]:
    """The result of a statement with its binds: text, numbers, flags, and lists of text."""
    statement, sql, order = _prepared(connection.dialect.name, name)
    if statement.expands:
        sizes = tuple((key, len(binds[key])) for key in order if key in statement.expands)
        lists = [binds[key] if key in statement.expands else [binds[key]] for key in order]
        spread = _spread(connection.dialect.name, name, sizes)
        return connection.exec_driver_sql(spread, tuple(map(_stored, chain.from_iterable(lists))))
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


def values(connection: Connection, name: str, /, **binds: Any) -> Iterator[Values]:
    """Every row. Taking thousands of them holds up nobody else on the event loop."""
    return table(connection, name, **binds)[1]


def table(
    connection: Connection, name: str, /, **binds: Any
) -> tuple[tuple[str, ...], Iterator[Values]]:
    """The names of the columns, and every row as from ``values``."""
    result = run(connection, name, binds)
    return tuple(result.keys()), _sliced(connection, result)


def many(connection: Connection, name: str, /, **binds: Any) -> Rows:
    """Every row, by the names of its columns."""
    columns, rows = table(connection, name, **binds)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def one(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any] | None:
    """The first row, or None."""
    result = run(connection, name, binds)
    columns, row = tuple(result.keys()), result.first()
    return None if row is None else _by_column(columns, row)


def returned(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any]:
    """The one row of a write that always returns one."""
    result = run(connection, name, binds)
    return _by_column(tuple(result.keys()), result.one())


def execute(connection: Connection, name: str, /, **binds: Any) -> int:
    """How many rows were changed."""
    return run(connection, name, binds).rowcount


def _sliced(connection: Connection, result: CursorResult[Any]) -> Iterator[Values]:
    # The driver's own rows: SQLAlchemy's, made of them, take as long again.
    rows = list(result.cursor.fetchall())
    result.close()
    for start in range(0, len(rows), _SLICE):
        if start:
            give_way(connection)
        yield from _readable(rows[start : start + _SLICE])


def _readable(rows: Sequence[Values]) -> Iterable[Values]:
    if reads_as_stored(chain.from_iterable(rows)):
        return rows
    return ([readable_text(v) if type(v) is str else v for v in row] for row in rows)


def _by_column(columns: Sequence[str], row: Values) -> dict[str, Any]:
    [values] = _readable([row])
    return dict(zip(columns, values, strict=True))


def texts(values: Collection[str]) -> list[str]:
    """A list of text as a statement takes it."""
    return [stored_text(value) for value in values]
