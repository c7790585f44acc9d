"""The command ``chainkeep``: for whoever runs the app, without loading Chainlit.

Exit codes: 0, done; 1, refused or failed, with one line on stderr that names the next step; 2, the
command was typed wrongly.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from typing_extensions import override

from chainkeep._version import __version__
from chainkeep.errors import ChainkeepError

__all__ = ["main"]

_COMMANDS = {
    "adopt": "Take over the database of Chainlit's SQLAlchemyDataLayer.",
    "blobs": "Find attachments' bytes that no element names, and elements without bytes.",
    "journal": "Look at, or bring in, writes that the database has not taken yet.",
    "migrate": "Make the tables, or bring them up to date.",
    "schema": "Print the SQL that makes the tables.",
}


class _Commands(click.Group):
    """Loads a command when it is named: what it needs takes longer to load than help to print."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"chainkeep.cli.{cmd_name}").command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChainkeepError as exc:
            raise click.ClickException(" ".join(str(exc).split())) from exc


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chainkeep")
def main() -> None:
    """Look after the database in which chainkeep keeps a Chainlit app's history."""
