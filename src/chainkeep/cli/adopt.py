"""``chainkeep adopt``"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import click
from sqlalchemy import Connection

from chainkeep.cli.connection import database_options, is_there, name_of, run, settings_from
from chainkeep.errors import MigrationError
from chainkeep.settings import DatabaseSettings
from chainkeep.transfer.adopt import adopt
from chainkeep.transfer.old_tables import Progress
from chainkeep.transfer.report import AdoptionReport

__all__ = ["command"]


@click.command("adopt")
@click.option("--dry-run", is_flag=True, help="Do all of it, then undo it, and say what it was.")
@click.option("--keep-old", is_flag=True, help="Keep the old tables, as chainlit_users and so on.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@database_options
def command(
    database_url: str | None,
    schema: str | None,
    dry_run: bool,
    keep_old: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Take over the database of Chainlit's SQLAlchemyDataLayer.

    In one transaction: either every row is carried over or nothing is changed. What has no place in
    the new tables is kept in the table chainkeep_leftovers. Times are taken as they are labelled,
    although the old layer labelled local time as UTC. Attachments stay where they are. Privileges
    granted on the old tables are not carried over.

    Make a backup, stop the app, and look first with --dry-run.
    """
    settings = settings_from(database_url, schema)
    if not is_there(settings):
        raise MigrationError(f"There is no database at {name_of(settings)}; see --database-url.")
    if not (dry_run or yes):
        question = f"Is there a backup, and is the app stopped? Adopt {name_of(settings)} now?"
        click.confirm(question, abort=True, err=True)
    report = _adopt(settings, dry_run=dry_run, keep_old=keep_old)
    click.echo(json.dumps(report.as_json()) if as_json else _sentences(report))


def _adopt(settings: DatabaseSettings, **options: Any) -> AdoptionReport:
    with _progress_bars() as progress:

        def work(connection: Connection) -> AdoptionReport:
            return adopt(connection, progress=progress, **options)

        return run(settings, work)


def _sentences(report: AdoptionReport) -> str:
    done = f"Adopted; the tables are at {report.revision}."
    undone = "Nothing was changed: this was a dry run. Adopt with: chainkeep adopt"
    return "\n".join([*report.lines(), undone if report.dry_run else done])


@contextmanager
def _progress_bars() -> Iterator[Progress]:
    """One bar after the other, a table each, on stderr."""
    with ExitStack() as bars:
        shown: dict[str, Any] = {}

        def progress(table: str, done: int, total: int) -> None:
            if table not in shown:
                bars.close()
                bar = click.progressbar(length=total, label=table, file=sys.stderr)
                shown[table] = bars.enter_context(bar)
            shown[table].update(done - shown[table].pos)

        yield progress
