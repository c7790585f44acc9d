"""``chainkeep journal list`` and ``chainkeep journal replay``"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from chainkeep.cli.connection import database_options, settings_from
from chainkeep.db.database import open_database
from chainkeep.db.journal import Journal, JournalFile
from chainkeep.db.replay import Replay
from chainkeep.db.up_to_date import UpToDateDatabase
from chainkeep.settings import DEFAULT_JOURNAL, DatabaseSettings

__all__ = ["command"]

_PORTION = 1000

_directory = click.option(
    "--journal",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: os.environ.get("CHAINKEEP_JOURNAL") or DEFAULT_JOURNAL,
    help="Its directory; CHAINKEEP_JOURNAL, or .chainkeep/journal, where not given.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the journal."""

    name: str
    bytes: int
    writes: int | None
    """None where a living process is writing it."""


@click.group("journal")
def command() -> None:
    """Writes that the database could not take, kept on this machine's disk.

    An app brings them in by itself, as soon as the database answers; and at its next start what it
    left behind. These commands are for when no app will start here again.
    """


@command.command("list")
@_directory
@_json
def show(directory: Path, as_json: bool) -> None:
    """List the files of the journal."""
    files = [_listed(path) for path in Journal(directory).paths()]
    if as_json:
        click.echo(json.dumps([asdict(file) for file in files]))
        return
    for file in files:
        state = "in use by an app" if file.writes is None else f"{file.writes} writes"
        click.echo(f"{file.name}  {file.bytes} bytes  {state}")
    if not files:
        click.echo(f"Nothing is kept in {directory}.")


def _listed(path: Path) -> Listed:
    try:
        file = JournalFile(path)
    except BlockingIOError:
        return Listed(path.name, path.stat().st_size, None)
    try:
        return Listed(path.name, file.size, _count(file))
    finally:
        file.close(remove=False)


def _count(file: JournalFile) -> int:
    count = end = 0
    while records := file.read(end, _PORTION):
        count, end = count + len(records), records[-1].end
    return count


@command.command("replay")
@_directory
@_json
@database_options
def replay(directory: Path, as_json: bool, database_url: str | None, schema: str | None) -> None:
    """Bring in what apps that are gone have left, and delete it from the disk.

    Each write is brought in once, whoever does it. One that the database refuses is set aside in a
    file beside the journal, and said in the log.
    """
    count = asyncio.run(_replay(directory, settings_from(database_url, schema)))
    click.echo(json.dumps({"replayed": count}) if as_json else f"Brought in {count} writes.")


async def _replay(directory: Path, settings: DatabaseSettings) -> int:
    database = UpToDateDatabase(open_database(settings), auto_migrate=False)
    journal = Replay(database, Journal(directory))
    try:
        return await journal.bring_in()
    finally:
        await journal.close()
        await database.close()
