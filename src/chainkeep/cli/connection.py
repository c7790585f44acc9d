"""Which database a command is about, and a connection to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection, make_url

from chainkeep.db import dialects
from chainkeep.db.database import open_database, our_errors
from chainkeep.settings import DatabaseSettings

__all__ = ["database_options", "is_there", "name_of", "run", "settings_from"]

T = TypeVar("T")
Work = Callable[[Connection], T]


def database_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that name the database."""
    url = click.option(
        "--database-url",
        metavar="URL",
        help="sqlite+aiosqlite:///… or postgresql+asyncpg://…; CHAINKEEP_DATABASE_URL where not "
        "given, and .chainkeep/chainkeep.db where that is not set.",
    )
    schema = click.option(
        "--schema",
        metavar="NAME",
        help="The PostgreSQL schema that holds the tables; CHAINKEEP_SCHEMA where not given.",
    )
    return url(schema(command))


def settings_from(database_url: str | None, schema: str | None) -> DatabaseSettings:
    """The settings that the options and the environment give."""
    return DatabaseSettings.from_environment(url=database_url, schema=schema)


def name_of(settings: DatabaseSettings) -> str:
    """The database's address without anything secret."""
    url = make_url(settings.url)
    return url.set(password=None, query={}).render_as_string()


def is_there(settings: DatabaseSettings) -> bool:
    """Whether there is a database to connect to; a file would be made by connecting to it."""
    url = dialects.supported_url(settings.url)
    if not dialects.runs_in_thread(url):
        return True
    return not dialects.is_in_memory(url) and Path(str(url.database)).exists()


def run(settings: DatabaseSettings, work: Work[T]) -> T:
    """Run work on a connection in no transaction; an interrupt undoes what is not committed."""
    url = dialects.supported_url(settings.url)
    if not dialects.runs_in_thread(url):
        return asyncio.run(_run_on_loop(settings, work))
    # In this thread, so that an interrupt reaches the work.
    with our_errors():
        engine = dialects.thread_engine(url, settings)
        try:
            with engine.connect() as connection:
                return work(connection)
        finally:
            engine.dispose()


async def _run_on_loop(settings: DatabaseSettings, work: Work[T]) -> T:
    # Whoever waits here can end it, and a long history takes its time.
    patient = replace(settings, connect_args={"command_timeout": None, **settings.connect_args})
    database = open_database(patient)
    try:
        return await database.bare(work)
    finally:
        await database.close()
