"""Brings a database's tables up to date, and says whether they are.

Plain functions over a SQLAlchemy ``Connection`` that is not in a transaction: each opens and ends
its own. Where the schema is chosen per transaction, an engine's ``begin`` listener is the place.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from io import StringIO
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import ResolutionError
from sqlalchemy import Connection, Dialect, inspect, make_url

from chainkeep.db import migrations
from chainkeep.db.dialects import DIALECT_NAMES, driver_errors, is_transient, run_long
from chainkeep.db.migrations.transactions import (
    exclusive_transaction,
    reading_transaction,
    schema_name,
)
from chainkeep.errors import (
    AdoptionRequiredError,
    MigrationError,
    NewerSchemaError,
    PendingMigrationsError,
    UnsupportedDatabaseError,
)

__all__ = [
    "CHAINLIT_TABLES",
    "VERSION_TABLE",
    "apply_pending",
    "check",
    "current",
    "latest",
    "migrate",
    "pending",
    "reason",
    "render",
]

CHAINLIT_TABLES = frozenset({"users", "threads", "steps", "elements", "feedbacks"})
VERSION_TABLE = "chainkeep_version"

_DIRECTORY = Path(migrations.__file__).parent


def current(connection: Connection) -> str | None:
    """The revision that the database is at, None before the first. Writes nothing."""
    with reading_transaction(connection):
        return _context(connection).get_current_revision()


def pending(connection: Connection) -> list[str]:
    """The revisions still to be applied, oldest first. Writes nothing.

    Raises ``NewerSchemaError`` for a database that this version does not know.
    """
    return [script.revision for script in _scripts_after(current(connection))]


def check(connection: Connection) -> None:
    """Return if the database is up to date; else raise the error that says what to do."""
    with reading_transaction(connection):
        if not pending(connection):
            return
        _refuse_foreign_tables(connection)
    raise PendingMigrationsError


def migrate(connection: Connection, *, dry_run: bool = False) -> list[str]:
    """Apply what is pending, oldest first, all of it or nothing; the revisions applied.

    Any number of processes may call this at once: one works, the others wait and find nothing left.
    A dry run does the work and undoes it. Raises ``AdoptionRequiredError`` and ``NewerSchemaError``
    before anything is written, and ``MigrationError`` if a step fails; a fault that passes, such as
    a full disk, is raised as the driver has it.
    """
    if not pending(connection):
        return []
    with exclusive_transaction(connection, keep=not dry_run):
        return apply_pending(connection)


def apply_pending(connection: Connection) -> list[str]:
    """Apply what is pending within the caller's `exclusive_transaction`; the revisions applied."""
    # Read again under the lock: while waiting for it, somebody else may have done the work.
    scripts = _scripts_after(current(connection))
    _refuse_foreign_tables(connection)
    try:
        if scripts:
            context = _context(connection)
            context.run_migrations(run=partial(_run_script, connection))
    except driver_errors() as exc:
        if is_transient(exc):
            raise
        raise MigrationError(f"A migration failed and nothing was changed: {reason(exc)}") from exc
    return [script.revision for script in scripts]


def latest() -> str:
    """The revision that `migrate` leads to."""
    return _scripts_after(None)[-1].revision


def render(dialect: str) -> str:
    """The SQL that makes a database of that dialect from nothing, as a script."""
    if dialect not in DIALECT_NAMES:
        raise UnsupportedDatabaseError(f"No such dialect: {dialect}; {' or '.join(DIALECT_NAMES)}.")
    output = StringIO()
    options = {**_options(None), "as_sql": True, "output_buffer": output}
    context = MigrationContext.configure(dialect=_script_dialect(dialect), opts=options)
    with context.begin_transaction():
        context.run_migrations(run=partial(_write_script, context))
    return output.getvalue()


def reason(error: BaseException) -> str:
    """What the database said, without the driver's wrapping."""
    original = getattr(error, "orig", None) or error
    return str(original.__cause__ or original)


def _script_dialect(name: str) -> Dialect:
    dialect = make_url(f"{name}://").get_dialect()()
    # Nobody reads what a script returns.
    dialect.insert_returning = False
    return dialect


def _refuse_foreign_tables(connection: Connection) -> None:
    """Raise if tables of our names are there that we did not make."""
    if current(connection) is not None:
        return
    taken = CHAINLIT_TABLES.intersection(
        inspect(connection).get_table_names(schema=schema_name(connection))
    )
    if {"threads", "steps"} <= taken:
        raise AdoptionRequiredError
    if taken:
        raise MigrationError(
            f"The database has tables of the same names, and not Chainlit's: "
            f"{', '.join(sorted(taken))}; give chainkeep a database or a schema of its own."
        )


def _options(schema: str | None) -> dict[str, Any]:
    def steps(heads: tuple[str, ...], _context: MigrationContext) -> list[MigrationStep]:
        revisions = _directory().revision_map
        scripts = _scripts_after(heads[0] if heads else None)
        return [MigrationStep.upgrade_from_script(revisions, script) for script in scripts]

    return {
        "fn": steps,
        "version_table": VERSION_TABLE,
        "version_table_schema": schema,
        "transactional_ddl": True,
    }


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts=_options(schema_name(connection)))


@cache
def _directory() -> ScriptDirectory:
    return ScriptDirectory(str(_DIRECTORY))


def _scripts_after(revision: str | None) -> list[Script]:
    try:
        return [*_directory().iterate_revisions("head", revision or "base")][::-1]
    except ResolutionError as exc:
        raise NewerSchemaError from exc


def _statements(dialect: str, name: str) -> Iterator[str]:
    """The statements of a step for one dialect."""
    versions = _DIRECTORY / "versions"
    for path in (versions / name, (versions / name).with_suffix(f".{dialect}.sql")):
        if path.exists():
            yield from migrations.statements(path.read_text("utf-8"))


def _run_script(connection: Connection, name: str) -> None:
    for statement in _statements(connection.dialect.name, name):
        run_long(connection, statement)


def _write_script(context: MigrationContext, name: str) -> None:
    for statement in _statements(context.dialect.name, name):
        context.impl.static_output(statement)
