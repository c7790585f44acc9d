"""Reads the tables of Chainlit's built-in SQLAlchemy layer, of any version, in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Executable,
    Text,
    cast,
    func,
    inspect,
    literal_column,
    select,
)
from sqlalchemy.exc import SAWarning
from sqlalchemy.sql import column, table

from chainkeep.db import migrate
from chainkeep.db.migrations.transactions import schema_name
from chainkeep.errors import MigrationError
from chainkeep.transfer.builtin import REQUIRED
from chainkeep.transfer.source import SourceRow

__all__ = ["Progress", "column_types", "count", "rows"]

Progress = Callable[[str, int, int], None]
"""Told a table's name, how many of its rows are done, and how many there are."""

Types = Mapping[str, Mapping[str, object]]
"""Table to column to type."""

_BATCH = 500


def column_types(connection: Connection) -> Types:
    """What the old tables' columns are; ``MigrationError`` unless they are tables that we know."""
    if migrate.current(connection) is not None:
        raise MigrationError("The database is chainkeep's already; there is nothing to adopt.")
    schema = schema_name(connection)
    present = REQUIRED.keys() & set(inspect(connection).get_table_names(schema))
    if not present:
        raise MigrationError("There is nothing to adopt; make the tables with: chainkeep migrate")
    types = {name: _types(connection, name, schema) for name in present}
    if missing := list(_missing(types)):
        raise MigrationError(
            "The tables are not those of Chainlit's SQLAlchemy layer and were left as they are; "
            f"missing: {', '.join(missing)}."
        )
    return types


def _types(connection: Connection, name: str, schema: str | None) -> dict[str, object]:
    with warnings.catch_warnings():
        # A type that SQLAlchemy does not know is no column of Chainlit's; only its values matter.
        warnings.simplefilter("ignore", SAWarning)
        return {c["name"]: c["type"] for c in inspect(connection).get_columns(name, schema)}


def _missing(types: Types) -> Iterator[str]:
    for name, required in REQUIRED.items():
        if name not in types:
            yield f"table {name}"
        else:
            yield from (f"{name}.{c}" for c in sorted(required - types[name].keys()))


def count(connection: Connection, name: str) -> int:
    """How many rows an old table has that was set aside."""
    old = table(f"chainlit_{name}")
    return connection.scalar(select(func.count()).select_from(old)) or 0


def rows(
    connection: Connection, name: str, types: Mapping[str, object], progress: Progress | None
) -> Iterator[SourceRow]:
    """Every row of an old table that was set aside, in the order in which they are to stand.

    Votes on the same step follow each other, the newest last. ``progress`` is told of the rows that
    were handed out, whenever a batch of them is done.
    """
    total, done = count(connection, name), 0
    json_columns = {c for c, type_ in types.items() if isinstance(type_, JSON)}
    query = _query(connection.dialect.name, name, types, json_columns)
    for batch in _batches(connection, query):
        yield from (SourceRow(values, json_columns) for values in batch)
        done += len(batch)
        if progress is not None:
            progress(name, done, total)


def _batches(connection: Connection, query: Executable) -> Iterator[Sequence[Mapping[str, Any]]]:
    result = connection.execute(query, execution_options={"yield_per": _BATCH})
    for batch in result.mappings().partitions():
        yield [dict(row) for row in batch]


def _query(
    dialect: str, name: str, types: Mapping[str, object], json_columns: set[str]
) -> Executable:
    # Made here, because which columns there are depends on the version that made the table. JSON is
    # read as its text, so that no number changes on the way.
    columns = [cast(column(c), Text).label(c) if c in json_columns else column(c) for c in types]
    return select(*columns).select_from(table(f"chainlit_{name}")).order_by(*_order(dialect, name))


def _order(dialect: str, name: str) -> Iterator[ColumnElement[Any]]:
    if name == "steps":
        yield cast(column("createdAt"), Text)
    if name == "feedbacks":
        yield column("forId")
    # Where it stands in the file: for want of a better witness, the order of writing.
    yield literal_column("rowid" if dialect == "sqlite" else "ctid")
