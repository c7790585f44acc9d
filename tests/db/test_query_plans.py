"""How the databases carry the statements when the tables are big."""

from __future__ import annotations

import re

import pytest

from benchmarks.explain import PLANS, calls_of, plans
from chainkeep.db.database import Database
from chainkeep.db.dialects import DIALECT_NAMES
from tests.db.conftest import OpenDatabase
from tests.support.postgres import PostgresDatabases

BIG_TABLES = (
    "users", "threads", "steps", "elements", "feedbacks", "blob_deletions", "thread_facts",
    "thread_roles", "reactions", "message_summaries", "search_texts",
)  # fmt: skip

# A sequential scan of PostgreSQL, or a walk over a whole table or index of SQLite; but an index of
# few rows may be walked.
SCAN = re.compile(
    rf"(?:Seq Scan on|SCAN) (?:{'|'.join(BIG_TABLES)})\b"
    r"(?! USING (?:COVERING )?INDEX \w+_unindexed_idx)"
)

MAY_SCAN = {
    "blob_deletion_requests": "reads all there is, once when a process starts; mostly nothing",
}


def scanning(by_call: dict[str, str]) -> set[str]:
    return {call for call, how in by_call.items() if SCAN.search(how)}


@pytest.fixture
async def database(
    database_kind: str, request: pytest.FixtureRequest, open_: OpenDatabase
) -> Database:
    """A fresh database that can have a trigram index."""
    if database_kind == "sqlite":
        return open_(request.getfixturevalue("database_url"))
    server: PostgresDatabases = request.getfixturevalue("trigram_postgres")
    return open_(server.url(await server.acreate_database()))


async def test_no_statement_reads_a_whole_table_that_grows(
    database: Database, database_kind: str
) -> None:
    assert scanning(await plans(database, database_kind)) == set(MAY_SCAN)


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_the_plan_of_every_statement_is_kept_and_none_of_another(dialect: str) -> None:
    kept = {path.name.removesuffix(f".{dialect}.txt") for path in PLANS.glob(f"*.{dialect}.txt")}
    assert kept == set(calls_of(dialect))


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_the_plans_that_are_kept_read_no_whole_table_either(dialect: str) -> None:
    kept = {
        path.name.removesuffix(f".{dialect}.txt"): path.read_text("utf-8")
        for path in PLANS.glob(f"*.{dialect}.txt")
    }
    assert scanning(kept) == set(MAY_SCAN)


def test_a_scan_is_recognized() -> None:
    assert scanning({"a": "->  Seq Scan on steps\n", "b": "SCAN threads\n"}) == {"a", "b"}
    assert (
        scanning({"c": "SCAN CONSTANT ROW\nSEARCH steps USING INDEX steps_favorite_idx"}) == set()
    )
