"""``chainkeep schema``"""

from __future__ import annotations

import click

from chainkeep.cli.connection import database_options, settings_from
from chainkeep.db.dialects import DIALECT_NAMES, supported_url
from chainkeep.db.migrate import render

__all__ = ["command"]


@click.command("schema")
@click.option(
    "--dialect",
    type=click.Choice(DIALECT_NAMES),
    help="Which database the SQL is for; the configured one where not given.",
)
@database_options
def command(database_url: str | None, schema: str | None, dialect: str | None) -> None:
    """Print the SQL that makes the tables.

    For those who let nobody but themselves make tables: a database made by this script is up to
    date. Nothing is connected to.
    """
    settings = settings_from(database_url, schema)
    name = dialect or supported_url(settings.url).get_backend_name()
    click.echo(render(name), nl=False)
