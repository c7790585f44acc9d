"""`chainkeep journal`: what apps that are gone have left."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chainkeep.cli import main
from chainkeep.db.journal import Journal
from chainkeep.db.records import to_record
from chainkeep.db.step_writes import StepWrite
from chainkeep.models import Step
from tests.support.databases import run_on


def write(number: int) -> str:
    step = Step(
        id=f"s{number}", thread_id="t", type="run", created_at="2026-01-01T00:00:00.000000Z"
    )
    return to_record("t", StepWrite(step=step, position=number))


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """A journal with two writes of an app that is gone."""
    journal = Journal(tmp_path / "journal")
    journal.append([write(1), write(2)])
    journal.close()
    return tmp_path / "journal"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["journal", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_says_how_many_writes_wait(left_behind: Path) -> None:
    (listed,) = json.loads(run("list", "--journal", str(left_behind), "--json"))
    assert listed["writes"] == 2
    assert "2 writes" in run("list", "--journal", str(left_behind))


def test_the_list_leaves_a_living_apps_file_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([write(1)])
    assert "in use by an app" in run("list", "--journal", str(tmp_path))
    journal.close()


def test_an_empty_journal_is_said_to_be_empty(tmp_path: Path) -> None:
    assert "Nothing is kept" in run("list", "--journal", str(tmp_path / "none"))


async def test_replay_brings_the_writes_into_the_database(
    left_behind: Path, database_url: str
) -> None:
    options = ["--journal", str(left_behind), "--database-url", database_url]
    output = await asyncio.to_thread(run, "replay", *options)
    assert output == "Brought in 2 writes.\n"
    count = await run_on(
        database_url, lambda c: c.exec_driver_sql("SELECT COUNT(*) FROM steps").scalar()
    )
    assert count == 2
    assert Journal(left_behind).paths() == []


def test_replay_without_a_database_leaves_the_journal_as_it_is(left_behind: Path) -> None:
    before = [path.read_bytes() for path in left_behind.iterdir()]
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
    options = ["journal", "replay", "--journal", str(left_behind), "--database-url", url]
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 1
    assert [path.read_bytes() for path in left_behind.iterdir()] == before


def test_a_torn_last_write_is_passed_over(left_behind: Path) -> None:
    (path,) = left_behind.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    (listed,) = json.loads(run("list", "--journal", str(left_behind), "--json"))
    assert listed["writes"] == 1
