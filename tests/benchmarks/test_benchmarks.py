from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, text
from typing_extensions import override

from benchmarks import thread_api
from benchmarks.__main__ import MARK, main
from benchmarks.counting import Tally, counts
from benchmarks.floor import FloorSqlite
from benchmarks.measure import Sample, timed
from benchmarks.peers import CANDIDATES, Layer, Place
from benchmarks.read_targets import read_targets
from benchmarks.seed import QUICK, Seed
from benchmarks.subject import opened
from benchmarks.targets import targets
from benchmarks.workloads import GROUPS, workloads
from benchmarks.writes import awaited_turn, chat_turns
from tests.support.databases import run_on
from tests.support.postgres import PostgresDatabases

FLOOR = next(each for each in CANDIDATES if (each.name, each.database) == ("floor", "SQLite"))
ARGUMENTS = ("--quick", "--rounds", "1", "--only", "r1", "w1")
SEED = Seed(replace(QUICK, users=(3, 10), lengths=(20,), deletions=2))


@pytest.fixture
def shared_server(trigram_postgres: PostgresDatabases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINKEEP_TEST_POSTGRES_URL", trigram_postgres.dsn())


@pytest.mark.usefixtures("shared_server")
def test_every_candidate_is_measured_on_both_databases(tmp_path: Path):
    figures, docs = tmp_path / "figures.json", tmp_path / "docs.md"
    docs.write_text(f"How to read them.\n\n{MARK}\n\nof yesterday")

    main([*ARGUMENTS, "--json", str(figures), "--docs", str(docs)])

    compared = {each["what"] for each in json.loads(figures.read_text())["targets"]}
    assert "1 chat, p50 of a turn, times floor" in compared
    found = json.loads(figures.read_text())["measured"]
    measured = {(each["candidate"], each["database"], each["group"]) for each in found}
    assert measured == {
        (each.name, each.database, group)
        for each in CANDIDATES
        for group in ("r1", "w1")
        if each.takes_part(group)
    }
    assert [each for each in found if each["flaws"] or not each["calls"]] == []
    written = docs.read_text()
    assert written.startswith("How to read them.")
    assert "### PostgreSQL: turns per second" in written
    assert "### Targets" in written
    assert "of yesterday" not in written


def figure(candidate: str, group: str, chats: int, **values: Any) -> dict[str, Any]:
    zeros = {"p50_ms": 0.0, "p99_ms": 0.0, "per_second": 0.0, "stall_ms": 0.0}
    who = {"candidate": candidate, "database": "SQLite", "group": group, "chats": chats}
    return {**who, **zeros, **values}


def test_a_target_is_met_at_its_bound_and_missed_beyond_it():
    found = targets(
        [
            figure("chainkeep", "w1", 1, p50_ms=1.6),
            figure("floor", "w1", 1, p50_ms=1.0),
            figure("chainkeep", "w1", 32, per_second=2900.0),
            figure("SQLAlchemyDataLayer", "w1", 32, per_second=100.0, p50_ms=300.0),
            figure("chainkeep", "w1", 128, p99_ms=100.0, stall_ms=10.5),
        ],
        [("chainkeep", "SQLite", 3.0), ("floor", "SQLite", 900.0)],
    )
    assert {(each.what, round(each.reached, 3), each.met) for each in found} == {
        ("1 chat, p50 of a turn, times floor", 1.6, True),
        ("32 chats, awaited, turns/s, times SQLAlchemyDataLayer", 29.0, False),
        ("128 chats, p99 in ms, below the peers' p50 at 32", 100.0, True),
        ("128 chats, stall of the event loop in ms", 10.5, False),
        ("memory, bytes a write", 3.0, True),
    }


def read(candidate: str, group: str, p50_ms: float, **more: Any) -> dict[str, Any]:
    titles = {"r1": "sidebar", "r3": "thread", "w4": "turns"}
    values = {"size": 10_000, "most": None, "flaws": [], "workload": titles[group], **more}
    return figure(candidate, group, 1, p50_ms=p50_ms, **values)


def test_reads_are_compared_with_the_floor_the_peers_and_themselves():
    page = {"candidate": "chainkeep", "database": "SQLite", "operation": "list_threads"}
    found = read_targets(
        [
            read("chainkeep", "r1", 3.0, most=3),
            read("floor", "r1", 1.0),
            read("SQLAlchemyDataLayer", "r1", 2999.0),
            read("ChainlitDataLayer", "r1", 20.0),  # too fast to be compared
            read("chainkeep", "r1", 2.0, size=100, workload="a smaller one"),
            read("chainkeep", "r3", 4.0, stall_ms=10.5, flaws=["gave 19 of 20 steps"]),
            read("ChainlitDataLayer", "r3", 5.0),
            read("chainkeep", "w4", 1.0, per_second=84.0),
            read("chainkeep without index", "w4", 1.0, per_second=100.0),
        ],
        [{**page, "rows": 37, "bytes": 200}, {**page, "candidate": "floor", "bytes": 100}],
    )
    assert {(each.what, round(each.reached, 3), each.met) for each in found} == {
        ("sidebar, times floor", 3.0, True),
        ("sidebar, times as fast as SQLAlchemyDataLayer", 999.667, False),
        ("thread, times the faster peer", 0.8, False),
        ("thread, stall of the event loop in ms", 10.5, False),
        ("turns, turns/s, times those without", 0.84, False),
        ("a full page of the sidebar, 10,000 threads beside 100", 1.5, True),
        ("rows from the database for a page of 35", 37, False),
        ("bytes from the database for a page, times floor", 2.0, True),
    }


def test_every_group_but_what_is_counted_has_a_workload():
    groups = {each.group for each in workloads(QUICK)}
    assert groups == set(GROUPS) - {"counts", "memory"}


async def test_rows_and_bytes_of_a_page_are_counted(
    trigram_postgres: PostgresDatabases, tmp_path: Path
):
    candidates = [each for each in CANDIDATES if each.name in ("chainkeep", "floor")]
    taken: dict[str, Tally] = {}
    async with opened(candidates, tmp_path, trigram_postgres, SEED) as subjects:
        for subject in subjects:
            taken[subject.candidate.key] = (await counts(subject))["list_threads"]
    assert {(each.statements, each.rows) for each in taken.values()} == {(1, 10)}
    for database in ("sqlite", "postgresql"):
        ours, floor = (taken[f"{name}_{database}"].bytes for name in ("chainkeep", "floor"))
        assert floor <= ours < 2 * floor


async def test_the_floor_keeps_no_search_in_step_while_writes_are_measured(
    trigram_postgres: PostgresDatabases, tmp_path: Path
):
    def is_indexed(connection: Connection) -> bool:
        names = connection.execute(text("SELECT indexname FROM pg_indexes")).scalars()
        return "floor_texts" in names

    floors = [each for each in CANDIDATES if (each.name, each.database) == ("floor", "PostgreSQL")]
    async with opened(floors, tmp_path, trigram_postgres, SEED) as [subject]:
        assert await run_on(subject.place.url, is_indexed)
        await subject.unindex()
        assert not await run_on(subject.place.url, is_indexed)


async def flaws_of_a_turn(layer: type[FloorSqlite], home: Path) -> list[str]:
    def open_layer(place: Place) -> Layer:
        return cast("Layer", layer(place.file, place.home))

    candidate = replace(FLOOR, open=open_layer)
    async with opened([candidate], home, None, SEED) as [subject]:
        sample: Sample = await chat_turns(subject, 0, play=awaited_turn, chats=1)
        return sample.flaws


class Forgetful(FloorSqlite):
    """Drops what an update says."""

    @override
    async def update_step(self, step_dict: Any) -> None:
        pass


class Mute(FloorSqlite):
    """Writes no step."""

    @override
    async def create_step(self, step_dict: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("layer", "flaws"),
    [
        (FloorSqlite, []),
        (Forgetful, ["lost 2 of 2 updates"]),
        (Mute, ["lost 3 of 3 steps"]),
    ],
)
async def test_what_a_layer_drops_in_silence_is_noticed(
    layer: type[FloorSqlite], flaws: list[str], tmp_path: Path
):
    assert await flaws_of_a_turn(layer, tmp_path) == flaws


async def test_an_error_that_is_logged_instead_of_raised_is_noticed():
    async def call() -> None:
        logging.getLogger("chainlit").warning("An error occurred: %s", "no such table")

    sample = await timed([[call]], 0)

    assert sample.flaws == ["logged An error occurred: no such table"]


async def test_an_error_ends_a_loop_and_is_noticed():
    async def call() -> None:
        raise ValueError("out of range")

    sample = await timed([[call, call]], 1)

    assert (sample.times, sample.flaws) == ([], ["raised ValueError: out of range"])


async def test_a_call_that_blocks_the_event_loop_shows_as_a_stall():
    async def call() -> None:
        sum(range(3_000_000))
        await asyncio.sleep(0)

    sample = await timed([[call, call]], 1)

    assert sample.stall > sample.times[0] / 2


@pytest.mark.usefixtures("shared_server")
def test_the_thread_api_is_measured_beside_the_floor(capsys: pytest.CaptureFixture[str]):
    figures = thread_api.main(["--quick"])
    assert [each.database for each in figures] == ["SQLite", "PostgreSQL"]
    assert [each.flaws for each in figures] == [[], []]
    assert {each.post_statements for each in figures} == {2}
    assert all(each.page_statements <= 3 for each in figures)
    told = capsys.readouterr().out
    assert "a page of 20 of 30 threads" in told
    assert "SQLAlchemyDataLayer" in told
    assert "20 messages in a new thread: append-only, sqlalchemy" in told
