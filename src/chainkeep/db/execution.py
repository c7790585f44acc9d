"""Runs a statement, by its name, over a ``Connection``.

Text crosses here, and only here, between what Chainlit says and what both databases can hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection

from chainkeep.db import drivers
from chainkeep.db.dialects import (
    DIALECT_NAMES,
    PARAMETER_MARKS,
    driver_errors,
    give_way,
    is_refusal,
)
from chainkeep.db.drivers import Values
from chainkeep.db.statements import STATEMENTS, Shape, Statement
from chainkeep.values import readable_text, reads_as_stored, stored_text

Rows = list[dict[str, Any]]
_SLICE = 100


class Change(NamedTuple):
    """A statement that writes all that it is given or, where it fails by refusing some of it,
    nothing; as its driver takes it.
    """

    sql: str
    parameters: Values
    """In the statement's order."""


@cache
def _prepared(dialect: str, name: str) -> tuple[Statement, str, tuple[str, ...]]:
    statement = STATEMENTS[dialect][name]
    return statement, statement.numbered(PARAMETER_MARKS[dialect]), statement.binds_in_order


def has(dialect: str, name: str) -> bool:
    """Whether a database has a statement, by its dialect's name; nearly all are for both."""
    return name in STATEMENTS[dialect]


@lru_cache(maxsize=1000)
def _spread(dialect: str, name: str, shapes: tuple[tuple[str, Shape], ...]) -> str:
    return STATEMENTS[dialect][name].spread(PARAMETER_MARKS[dialect], dict(shapes))


def change_of(name: str, /, **binds: Any) -> Change:
    """Make a change ready. One database alone has the statement."""
    return Change(*written(_home(name), name, binds))


@cache
def _home(name: str) -> str:
    [dialect] = (dialect for dialect in DIALECT_NAMES if has(dialect, name))
    return dialect


def written(dialect: str, name: str, binds: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """A statement as the driver takes it, and its parameters in order."""
    statement, sql, order = _prepared(dialect, name)
    if not statement.expands:
        return sql, _stored([binds[key] for key in order])
    lists = {key: _rows(binds[key]) for key in order if key in statement.expands}
    shapes = tuple((key, tuple(map(len, rows))) for key, rows in lists.items())
    rows = chain.from_iterable(lists.get(key) or [[binds[key]]] for key in order)
    spread = _spread(dialect, name, shapes)
    return spread, _stored([*chain.from_iterable(rows)])


def _rows(values: Collection[Any]) -> Sequence[Collection[Any]]:
    """A list of rows as it is, any other as one row."""
    of_rows = isinstance(values, list) and values and type(values[0]) is tuple
    return cast("list[tuple[Any, ...]]", values) if of_rows else [values]


def run(connection: Connection, name: str, binds: Mapping[str, Any]) -> drivers.Table:
    """What a statement finds with its binds: text, numbers, flags, and lists of text."""
    return drivers.fetch(connection, *written(connection.dialect.name, name, binds))


def each(connection: Connection, name: str, many: Sequence[Mapping[str, Any]]) -> int:
    """Run a statement once for each set of binds, in one round trip."""
    if len(many) == 1:
        return execute(connection, name, **many[0])
    _, sql, order = _prepared(connection.dialect.name, name)
    parameters = [_stored([binds[key] for key in order]) for binds in many]
    return drivers.change_each(connection, sql, parameters)


def _stored(values: list[Any]) -> list[Any]:
    if list in map(type, values):
        return [_stored(value) if type(value) is list else _one_stored(value) for value in values]
    # One look at all of them takes a fraction of what a call for each would.
    everything = "".join([value for value in values if type(value) is str])
    if everything.isascii() and "\0" not in everything:
        return values
    return [_one_stored(value) for value in values]


def _one_stored(value: Any) -> Any:
    return stored_text(value) if type(value) is str else value


def values(connection: Connection, name: str, /, **binds: Any) -> Iterator[Values]:
    """Every row. Taking thousands of them holds up nobody else on the event loop."""
    return table(connection, name, **binds)[1]


def table(
    connection: Connection, name: str, /, **binds: Any
) -> tuple[tuple[str, ...], Iterator[Values]]:
    """The names of the columns, none where there are no rows, and every row as from ``values``."""
    found = run(connection, name, binds)
    return found.columns, _sliced(connection, found.rows)


def many(connection: Connection, name: str, /, **binds: Any) -> Rows:
    """Every row, by the names of its columns."""
    columns, rows = table(connection, name, **binds)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def one(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any] | None:
    """The first row, or None."""
    columns, rows = run(connection, name, binds)
    return _by_column(columns, rows[0]) if rows else None


def returned(connection: Connection, name: str, /, **binds: Any) -> dict[str, Any]:
    """The one row of a write that always returns one."""
    columns, [row] = run(connection, name, binds)
    return _by_column(columns, row)


def execute(connection: Connection, name: str, /, **binds: Any) -> int:
    """How many rows were changed."""
    return drivers.change(connection, *written(connection.dialect.name, name, binds))


def is_done(connection: Connection, change: Change) -> bool:
    """Make a change; whether it was made, and not refused."""
    try:
        drivers.change(connection, *change)
    except driver_errors() as exc:
        if not is_refusal(exc):
            raise
        return False
    return True


async def is_soon_done(connection: Connection, change: Change) -> bool:
    """``is_done`` on a straight connection of a driver that awaits, where SQLAlchemy need not."""
    try:
        await drivers.change_soon(connection, *change)
    except driver_errors() as exc:
        if not is_refusal(exc):
            raise
        return False
    return True


def _sliced(connection: Connection, rows: Sequence[Values]) -> Iterator[Values]:
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
