"""``chainkeep migrate``"""

from __future__ import annotations

import json
from dataclasses import replace

import click
from sqlalchemy import Connection

from chainkeep.cli.connection import database_options, is_there, run, settings_from
from chainkeep.db import migrate

__all__ = ["command"]


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Do all of it, then undo it, and say what it was.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@database_options
def command(database_url: str | None, schema: str | None, dry_run: bool, as_json: bool) -> None:
    """Make the tables, or bring them up to date.

    All that is pending is applied in one transaction. Safe to run at any time, and by several at
    once. An app does the same on first use, unless CHAINKEEP_AUTO_MIGRATE=0.
    """
    settings = settings_from(database_url, schema)
    if dry_run and not is_there(settings):
        settings = replace(settings, url="sqlite+aiosqlite:///:memory:")

    def work(connection: Connection) -> list[str]:
        return migrate.migrate(connection, dry_run=dry_run)

    applied = run(settings, work)
    if as_json:
        outcome = {"dry_run": dry_run, "applied": applied, "latest": migrate.latest()}
        click.echo(json.dumps(outcome))
    else:
        click.echo(_sentence(applied, dry_run=dry_run))


def _sentence(applied: list[str], *, dry_run: bool) -> str:
    if not applied:
        return f"Up to date at {migrate.latest()}."
    return f"{'Would apply' if dry_run else 'Applied'} {', '.join(applied)}."
