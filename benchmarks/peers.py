"""Who is measured: chainkeep, the two layers that Chainlit brings, and the floor."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from chainlit.data.chainlit_data_layer import ChainlitDataLayer
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.element import Element
from chainlit.step import StepDict
from chainlit.types import PaginatedResponse, Pagination, ThreadDict, ThreadFilter

from benchmarks.floor import FloorPostgres, FloorSqlite
from benchmarks.storage import Directory
from chainkeep import ChainkeepDataLayer

__all__ = ["CANDIDATES", "UNINDEXED", "Candidate", "Layer", "Place"]

UNINDEXED = "chainkeep without index"
"""chainkeep whose search index is left to other processes: what it costs the writers."""


class Layer(Protocol):
    """What is asked of a candidate: the calls of Chainlit's data layer that are measured."""

    async def get_user(self, identifier: str) -> Any:
        """The user who logs in so."""

    async def get_thread_author(self, thread_id: str) -> str:
        """The identifier of a thread's owner."""

    async def create_step(self, step_dict: StepDict) -> None:
        """Write a step."""

    async def update_step(self, step_dict: StepDict) -> None:
        """Write a step again."""

    async def create_element(self, element: Element) -> None:
        """Write an element and store its bytes."""

    async def update_thread(
        self, thread_id: str, name: str | None = None, user_id: str | None = None
    ) -> None:
        """Make a thread."""

    async def list_threads(
        self, pagination: Pagination, filters: ThreadFilter
    ) -> PaginatedResponse[ThreadDict]:
        """A page of a user's threads."""

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A thread with all that is in it."""

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        """What a user starred."""

    async def delete_thread(self, thread_id: str) -> None:
        """Remove a thread with all that is in it."""

    async def close(self) -> None:
        """Finish, and let go of the database."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a candidate's data is."""

    url: str
    """The database, as SQLAlchemy reads it."""
    home: Path
    """A directory for its files."""

    @property
    def dsn(self) -> str:
        """The database, as asyncpg reads it."""
        return self.url.replace("+asyncpg", "").replace("ssl=disable", "sslmode=disable")

    @property
    def file(self) -> str:
        """The database's file."""
        return self.url.partition(":///")[2]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A data layer on one kind of database."""

    name: str
    database: str
    tables: str
    """The file of SQL that makes its tables."""
    rows: str
    """The file of SQL that fills them."""
    checks: str
    """The file of SQL that counts what it wrote."""
    open: Callable[[Place], Layer]
    index: str | None = None
    """The file of SQL that makes what its search is carried by; None where it has nothing, or makes
    it by itself.
    """
    unindex: str | None = None
    """The file of SQL that takes that away before others than searches are measured; None where it
    costs them nothing, or is kept in step by the candidate itself.
    """
    groups: Collection[str] | None = None
    """The workloads that it takes part in; None for all."""

    def takes_part(self, group: str) -> bool:
        """Whether it is measured there."""
        return self.groups is None or group in self.groups

    @property
    def key(self) -> str:
        """A name for files and databases."""
        return f"{self.name}_{self.database}".lower().replace(" ", "_")


def _chainkeep(place: Place, *, search_index: bool = True) -> Layer:
    layer = ChainkeepDataLayer(
        place.url,
        search_index=search_index,
        blobs=str(place.home / "blobs"),
        spool=str(place.home / "spool"),
        journal=str(place.home / "journal"),
    )
    return cast("Layer", layer)


def _sqlalchemy(place: Place) -> Layer:
    layer = SQLAlchemyDataLayer(place.url, storage_provider=Directory(place.home))
    return cast("Layer", layer)


def _prisma(place: Place) -> Layer:
    return cast("Layer", ChainlitDataLayer(place.dsn, storage_client=Directory(place.home)))


def _floor(place: Place) -> Layer:
    if place.url.startswith("sqlite"):
        return cast("Layer", FloorSqlite(place.file, place.home))
    return cast("Layer", FloorPostgres(place.dsn, place.home))


def _on_both(
    name: str, tables: str, prefix: str, opened: Callable[[Place], Layer]
) -> list[Candidate]:
    return [
        Candidate(
            name,
            database,
            tables.format(database=database.lower()),
            f"{prefix}.rows".format(database=database.lower()),
            f"{prefix.partition('.')[0]}.checks",
            opened,
        )
        for database in ("SQLite", "PostgreSQL")
    ]


CANDIDATES = (
    *_on_both("chainkeep", "schema", "chainkeep", _chainkeep),
    *(
        replace(each, groups=("w4",))
        for each in _on_both(
            UNINDEXED, "schema", "chainkeep", partial(_chainkeep, search_index=False)
        )
    ),
    *_on_both(
        "SQLAlchemyDataLayer",
        "documented.{database}.tables",
        "documented.{database}",
        _sqlalchemy,
    ),
    Candidate(
        "ChainlitDataLayer",
        "PostgreSQL",
        "prisma.tables",
        "prisma.rows",
        "prisma.checks",
        _prisma,
    ),
    *(
        replace(
            each,
            index=f"floor.{each.database.lower()}.index",
            unindex="floor.postgresql.unindex" if each.database == "PostgreSQL" else None,
        )
        for each in _on_both("floor", "schema", "chainkeep", _floor)
    ),
)
"""In the order in which they take turns."""
