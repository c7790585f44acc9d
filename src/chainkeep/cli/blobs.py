"""``chainkeep blobs orphans``"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import click

from chainkeep.cli.connection import database_options, settings_from
from chainkeep.db.journal import Journal
from chainkeep.errors import ConflictError
from chainkeep.orphans import Orphans, delete_orphans, find_orphans
from chainkeep.settings import DEFAULT_BLOBS, Settings
from chainkeep.store import Store

__all__ = ["command"]


@click.group("blobs")
def command() -> None:
    """Look after the bytes of attachments."""


@command.command("orphans")
@click.option(
    "--blobs",
    "blobs",
    metavar="PLACE",
    default=lambda: os.environ.get("CHAINKEEP_BLOBS") or DEFAULT_BLOBS,
    help="A directory or s3://…; CHAINKEEP_BLOBS, or .chainkeep/blobs, where not given.",
)
@click.option("--delete", "delete", is_flag=True, help="Delete the blobs that no element names.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@database_options
def orphans(
    blobs: str, delete: bool, as_json: bool, database_url: str | None, schema: str | None
) -> None:
    """List blobs that no element names, and elements whose blob is not there.

    Nothing is deleted unless --delete is given, and never an element. What waits in some machine's
    journal is not in the database yet, and its blobs look like orphans until it is: --delete
    refuses where the journal of this machine holds anything, and knows of no other's.
    """
    settings = Settings.from_environment(
        database=settings_from(database_url, schema), blobs=blobs, auto_migrate=False
    )
    if delete and Journal(Path(settings.journal)).paths():
        raise ConflictError(
            "Writes wait in the journal; bring them in with: chainkeep journal replay"
        )
    found, deleted = asyncio.run(_look(settings, delete))
    if as_json:
        click.echo(json.dumps(_report(found, deleted)))
        return
    for key in found.blobs:
        click.echo(f"{key}  blob without element{', deleted' if delete else ''}")
    for row in found.rows:
        click.echo(f"{row.object_key}  missing blob of element {row.id}")
    click.echo(f"{len(found.blobs)} blobs without element, {len(found.rows)} missing blobs.")


async def _look(settings: Settings, delete: bool) -> tuple[Orphans, int]:
    store = Store(settings)
    try:
        found = await find_orphans(store)
        return found, await delete_orphans(store, found) if delete else 0
    finally:
        await store.close()


def _report(found: Orphans, deleted: int) -> dict[str, object]:
    return {
        "blobs": found.blobs,
        "rows": [row._asdict() for row in found.rows],
        "deleted": deleted,
    }
