"""Takes over a database that Chainlit's built-in SQLAlchemy layer has filled.

The old tables are set aside, the new ones made by the ordinary migrations, and every row carried
over; then the old tables are dropped, unless they are to be kept. All of it is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import count, groupby, islice
from typing import Any

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import DropIndex, Index

from chainkeep.db import migrate, migrations
from chainkeep.db.migrations.transactions import exclusive_transaction
from chainkeep.db.statements import Statement, load
from chainkeep.errors import MigrationError
from chainkeep.transfer import old_tables
from chainkeep.transfer.builtin import CONVERT, REQUIRED, UNKNOWN_TIME
from chainkeep.transfer.old_tables import Progress
from chainkeep.transfer.report import AdoptionReport
from chainkeep.transfer.source import SourceRow
from chainkeep.values import to_json

__all__ = ["adopt"]

_BATCH = 500
_SQL = files("chainkeep.transfer") / "sql"
_STATEMENTS: Mapping[str, Statement] = {
    statement.name: statement for statement in load((_SQL / "adopt.sql").read_text("utf-8"))
}


def adopt(
    connection: Connection,
    *,
    dry_run: bool = False,
    keep_old: bool = False,
    progress: Progress | None = None,
) -> AdoptionReport:
    """Make the built-in layer's tables ours, in one transaction; what was done to what.

    The connection is in no transaction. No app may write to the database meanwhile. A dry run does
    all of the work and undoes it. With ``keep_old`` the old tables stay, as ``chainlit_users`` and
    so on. Raises ``MigrationError``, with nothing changed, for a database that is ours already or
    that is laid out in a way we do not know, and where the database itself refuses.
    """
    report = AdoptionReport(dry_run=dry_run)
    try:
        with exclusive_transaction(connection, keep=not dry_run):
            _Adoption(connection, report, progress).run(keep_old=keep_old)
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise
        message = f"The adoption failed and nothing was changed: {migrate.reason(exc)}"
        raise MigrationError(message) from exc
    return report


class _Adoption:
    """One adoption, in a transaction that is its caller's."""

    def __init__(
        self, connection: Connection, report: AdoptionReport, progress: Progress | None
    ) -> None:
        self._connection = connection
        self._types = old_tables.column_types(connection)
        self._report = report
        self._progress = progress
        self._leftovers: list[dict[str, str | None]] = []
        self._same_user: list[dict[str, str]] = []

    def run(self, *, keep_old: bool) -> None:
        self._set_old_tables_aside()
        self._report.revision = migrate.apply_pending(self._connection)[-1]
        self._script("leftovers.sql")
        for name in REQUIRED:
            self._copy(name)
        self._fill_in()
        self._look_around()
        if not self._report.leftovers:
            self._script("no_leftovers.sql")
        if not keep_old:
            self._script("drop_old.sql")

    def _set_old_tables_aside(self) -> None:
        if self._connection.dialect.name == "sqlite":
            self._drop_indexes()
            self._script("names_stay.sqlite.sql")
            self._script("set_aside.sql")
            self._script("names_follow.sqlite.sql")
        else:
            # One statement, though its body has semicolons.
            sql = (_SQL / "free_index_names.postgresql.sql").read_text("utf-8")
            self._connection.exec_driver_sql(sql)
            self._script("set_aside.sql")

    def _drop_indexes(self) -> None:
        # Here a name is taken for the whole database and cannot be changed.
        for name in REQUIRED:
            for index in inspect(self._connection).get_indexes(name):
                self._connection.execute(DropIndex(Index(index["name"])))

    def _copy(self, name: str) -> None:
        self._report.rows[name] = old_tables.count(self._connection, name)
        self._report.adopted[name] = 0
        rows = old_tables.rows(self._connection, name, self._types[name], self._progress)
        if name == "users":
            rows = self._one_per_identifier(rows)
        if name == "feedbacks":
            rows = self._one_per_step(rows)
        position = count(1)
        while batch := list(islice(rows, _BATCH)):
            self._carry_over(name, batch, position)
        self._store_leftovers()
        if self._connection.dialect.name != "sqlite":
            self._script("close_cursors.postgresql.sql")

    def _one_per_identifier(self, rows: Iterator[SourceRow]) -> Iterator[SourceRow]:
        """Of several users with one name the first: it is the one that logs in."""
        kept: dict[object, str] = {}
        for row in rows:
            own_id = str(row.peek("id"))
            kept_id = kept.setdefault(row.peek("identifier"), own_id)
            if kept_id == own_id:
                yield row
            else:
                self._same_user.append({"kept": kept_id, "dropped": own_id})
                self._report.odd["users with a name that another has, joined with that one"] += 1
                self._leave_row("users", row)

    def _one_per_step(self, rows: Iterator[SourceRow]) -> Iterator[SourceRow]:
        """Of several votes on one step the last."""
        for _step, votes in groupby(rows, key=lambda row: row.peek("forId") or id(row)):
            *superseded, last = votes
            for row in superseded:
                self._report.odd["votes on a step that has a newer one"] += 1
                self._leave_row("feedbacks", row)
            yield last

    def _carry_over(self, name: str, batch: list[SourceRow], position: Iterator[int]) -> None:
        adopted = []
        for row in batch:
            row_id = None if row.peek("id") is None else str(row.peek("id"))
            values = CONVERT[name](row)
            if values is None:
                self._leave_row(name, row)
            else:
                adopted.append({**values, "position": next(position)})
                self._account_for(name, row_id, row)
        self._report.adopted[name] += len(adopted)
        self._run(f"{name}_insert", adopted)
        self._store_leftovers()

    def _account_for(self, name: str, row_id: str | None, row: SourceRow) -> None:
        self._report.filled.update(f"{name}.{c}" for c in row.filled)
        self._report.moved.update(f"{name}.{c}" for c in row.moved)
        for column, value in {**row.leftovers, **row.whole()}.items():
            self._leave(name, row_id, column, value)

    def _leave_row(self, name: str, row: SourceRow) -> None:
        row_id = row.peek("id")
        self._leave(name, row_id, None, {**row.whole(), **row.leftovers})

    def _leave(self, name: str, row_id: object, column: str | None, value: object) -> None:
        self._report.leftovers[name if column is None else f"{name}.{column}"] += 1
        self._leftovers.append(
            {
                "table": name,
                "row_id": None if row_id is None else str(row_id),
                "column": column,
                "value": to_json(value),
            }
        )

    def _store_leftovers(self) -> None:
        self._run("leftovers_insert", self._leftovers)
        self._leftovers.clear()

    def _fill_in(self) -> None:
        """What the old tables did not say, from what they said elsewhere. The order matters."""
        self._run("threads_reassign", self._same_user)
        unknown = [{"unknown": UNKNOWN_TIME}]
        self._run("threads_fill_created", unknown)
        self._run("steps_fill_created", unknown)
        self._run("threads_fill_activity", [{}])
        self._run("threads_fill_identifier", [{}])
        self._run("threads_fill_starred", [{}])
        self._run("elements_fill_created", unknown)
        self._run("feedbacks_fill_created", unknown)

    def _look_around(self) -> None:
        for name, remark in {
            "threads_of_unknown_age": "threads of unknown age, listed last",
            "threads_ownerless": "threads without an owner, listed for nobody",
            "steps_without_thread": "steps whose thread is gone",
        }.items():
            if found := self._count(name):
                self._report.odd[remark] = found

    def _count(self, name: str) -> int:
        statement = _STATEMENTS[name]
        binds = {"unknown": UNKNOWN_TIME} if statement.binds else {}
        return int(self._connection.execute(statement.clause, binds).scalar_one())

    def _run(self, name: str, rows: list[Any]) -> None:
        if rows:
            self._connection.execute(_STATEMENTS[name].clause, rows)

    def _script(self, name: str) -> None:
        for statement in migrations.statements((_SQL / name).read_text("utf-8")):
            self._connection.exec_driver_sql(statement)
