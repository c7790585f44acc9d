"""What is kept for later is not overtaken, and not forgotten, whatever lies in the journal."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import stat
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chainkeep import values
from chainkeep.db import journal
from chainkeep.db.database import Database, Make, Work
from chainkeep.db.lanes import Unit
from chainkeep.db.records import to_record
from chainkeep.db.step_writes import StepWrite
from chainkeep.errors import ConflictError, StorageError, TransientStorageError
from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.faults.talk import MOMENT
from tests.support.waiting import eventually

T = TypeVar("T")
Open = Callable[..., Store]


class Interrupted:
    """A database that is out of reach for some transactions, counted from 1."""

    def __init__(self, database: Database, *away: int) -> None:
        self._database = database
        self._away = away
        self._count = 0

    async def write(self, work: Work[T]) -> T:
        self._begin()
        return await self._database.write(work)

    async def write_alone(self, make: Make) -> bool:
        self._begin()
        return await self._database.write_alone(make)

    def _begin(self) -> None:
        self._count += 1
        if self._count in self._away:
            raise TransientStorageError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


@pytest.fixture
def journal_directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
async def open_store(
    database_url: str, tmp_path: Path, journal_directory: Path
) -> AsyncIterator[Open]:
    """Opens stores that keep at once what the database does not take; ``away`` as above."""
    opened: list[Store] = []

    def open_one(*away: int) -> Store:
        settings = Settings(
            database=DatabaseSettings(url=database_url),
            blobs=str(tmp_path / "blobs"),
            journal=str(journal_directory),
            close_timeout_seconds=5,
        )
        store = Store(settings, write_retry_seconds=0)
        store._writer._database = Interrupted(store._database, *away)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


def step(output: str, number: int = 0, thread_id: str = "t") -> Step:
    return Step(id=f"s{number}", thread_id=thread_id, output=output, created_at=MOMENT)


async def brought_in(store: Store) -> None:
    async def empty() -> bool:
        return store.health().journal_writes == 0 and store.health().queued_writes == 0

    await eventually(empty)


async def outputs(store: Store) -> list[str]:
    content = await store.get_thread("t")
    return [] if content is None else [each.output for each in content.steps]


async def test_a_write_does_not_overtake_what_was_kept_from_the_same_batch(
    open_store: Open,
) -> None:
    store = open_store(3)
    await store.create_step(step("", 1, thread_id="other"))
    futures = [
        store.create_step(step("first")),
        store.update_step(step("older"), given=["output"]),
        store.update_step(step("newer"), given=["output"]),
        # The batch fails because of this one, and its halves are tried each for itself.
        store.create_step(step("", 1)),
    ]
    for future in futures[:3]:
        assert await future
    await brought_in(store)
    assert await outputs(store) == ["newer"]


async def test_a_write_that_waited_for_the_end_of_a_journal_begins_no_other(
    open_store: Open,
) -> None:
    store = open_store(1)
    await store.create_step(step("first"))
    # Held while the end of the journal is brought in, and it is deleted.
    async with store._replay._appending:
        second = Unit("t", "second", StepWrite(step=step("second", 1), position=1), True)
        keeping = asyncio.ensure_future(store._replay.keep([second], behind=True))
        await asyncio.sleep(0)
        assert store._replay._journal.own is not None
        await asyncio.to_thread(store._replay._journal.finish_own, store._replay._journal.own.size)
    assert not await keeping
    assert not store._replay.holding


async def test_a_write_that_comes_after_closing_is_there_in_the_next_process(
    open_store: Open,
) -> None:
    store = open_store()
    await store.create_step(step("before"))
    await store.close()
    await store.create_step(step("after", 1))
    following = open_store()
    await following.update_thread("u", name="u")
    await brought_in(following)
    assert await outputs(following) == ["before", "after"]


def lay(directory: Path, name: str, *lines: bytes) -> Path:
    """A file that a dead process left in the journal."""
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.journal"
    path.write_bytes(b"".join(lines))
    return path


def line(text: str) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(text.encode()), text.encode())


def creation(number: int) -> bytes:
    return line(to_record("t", StepWrite(step=step(f"{number}", number), position=number)))


@pytest.mark.parametrize(
    "record",
    [
        "no JSON",
        json.dumps({"format": 99, "key": "t", "operation": "later", "arguments": {}}),
        json.dumps({"format": 1, "key": "t", "operation": "unheard_of", "arguments": {}}),
        json.dumps({"format": 1, "key": "t", "operation": "delete_thread", "arguments": {}}),
    ],
)
async def test_a_record_that_cannot_be_read_is_set_aside_and_holds_nothing_up(
    open_store: Open, journal_directory: Path, record: str
) -> None:
    lay(journal_directory, "0", creation(0), line(record), creation(1))
    store = open_store()
    assert await store.create_step(step("2", 2))
    await brought_in(store)
    assert await outputs(store) == ["0", "1", "2"]
    assert record in (journal_directory / "0.refused").read_text()


async def test_what_stands_behind_a_damaged_line_is_not_deleted(
    open_store: Open, journal_directory: Path
) -> None:
    lay(journal_directory, "0", creation(0), b"00000000 damaged\n", creation(1))
    store = open_store()
    assert await store.create_step(step("2", 2))
    await brought_in(store)
    assert await outputs(store) == ["0", "2"]
    assert_ends(journal_directory / "0.torn", creation(1))


def assert_empty(directory: Path) -> None:
    assert list(directory.iterdir()) == []


def assert_ends(path: Path, content: bytes) -> None:
    assert path.read_bytes().endswith(content)


async def test_a_line_that_a_crash_cut_short_leaves_nothing_behind(
    open_store: Open, journal_directory: Path
) -> None:
    lay(journal_directory, "0", creation(0), creation(1)[:-9])
    store = open_store()
    assert await store.create_step(step("2", 2))
    await brought_in(store)
    assert await outputs(store) == ["0", "2"]
    assert_empty(journal_directory)


async def test_a_journal_file_that_cannot_be_opened_does_not_hold_up_what_is_new(
    open_store: Open, journal_directory: Path
) -> None:
    (journal_directory / "0.journal").mkdir(parents=True)
    store = open_store()
    assert await store.create_step(step("new"))
    assert await outputs(store) == ["new"]


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.offset = 0

    def time_ns(self) -> int:
        return time.time_ns() + self.offset

    def set_back(self, hours: int) -> None:
        self.offset -= hours * 3600 * 10**9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of everything that is written, and of the journal."""
    clock = Clock()
    monkeypatch.setattr(values, "time", clock)
    monkeypatch.setattr(journal, "time", clock)
    return clock


async def test_what_is_said_after_the_clock_was_set_back_still_comes_last(
    open_store: Open, clock: Clock
) -> None:
    store = open_store()
    for number in range(20):
        clock.set_back(hours=number % 2)
        assert await store.create_step(step(f"{number}", number))
    assert await outputs(store) == [f"{number}" for number in range(20)]


async def test_a_journal_begun_after_the_clock_was_set_back_is_brought_in_last(
    open_store: Open, clock: Clock
) -> None:
    away = range(1, 100)
    for output in ("older", "newer"):
        store = open_store(*away)
        store._replay._database = Interrupted(store._database, *away)
        await store.create_step(step(output))
        await store.update_step(step(output), given=["output"])
        await store.close()
        clock.set_back(hours=1)
    store = open_store()
    await store.update_thread("u", name="u")
    await brought_in(store)
    assert await outputs(store) == ["newer"]


async def test_a_conflict_in_the_journal_does_not_pass_for_an_outage(open_store: Open) -> None:
    store = open_store()
    await store.create_step(step("", thread_id="other"))
    with pytest.raises(ConflictError):
        await store.create_step(step(""))
    assert store.health().journal_writes == 0


def test_a_write_that_comes_after_closing_and_just_before_the_end_is_not_lost(
    tmp_path: Path,
) -> None:
    program = """
import asyncio, sys
from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store

async def main():
    url = f"sqlite+aiosqlite:///{sys.argv[1]}/c.db"
    settings = Settings(database=DatabaseSettings(url=url), journal=f"{sys.argv[1]}/journal",
                        blobs=f"{sys.argv[1]}/blobs")
    store, moment = Store(settings), "2026-01-01T00:00:00.000000Z"
    await store.create_step(Step(id=sys.argv[2], thread_id="t", created_at=moment))
    print([step.id for step in (await store.get_thread("t")).steps])
    await store.close()
    store.create_step(Step(id=f"{sys.argv[2]}, late", thread_id="t", created_at=moment))

asyncio.run(main())
"""
    kept = [
        subprocess.check_output([sys.executable, "-c", program, str(tmp_path), name], text=True)
        for name in ("first", "second")
    ]
    assert kept == ["['first']\n", "['first', 'first, late', 'second']\n"]


async def test_the_size_of_a_journal_can_be_asked_at_any_moment(journal_directory: Path) -> None:
    asked = journal.Journal(journal_directory)

    def fill_and_finish() -> None:
        for _ in range(10):
            asked.append(["a write"])
            asked.finish_own(asked.size)

    filling = asyncio.ensure_future(asyncio.to_thread(fill_and_finish))
    sizes = set[int]()
    while not filling.done():
        sizes.update(asked.size for _ in range(50))
        await asyncio.sleep(0)
    await filling
    assert sizes <= {0, 17}


@pytest.mark.usefixtures("failing_sync")
def test_what_a_journal_could_not_sync_is_neither_acknowledged_nor_brought_in(
    journal_directory: Path,
) -> None:
    kept = journal.Journal(journal_directory)
    kept.append(["first"])
    for text in ("second", "third"):
        with pytest.raises(StorageError):
            kept.append([text])
    kept.append(["fourth"])
    assert kept.own is not None
    assert [record.text for record in kept.own.read(0, 10)] == ["first", "fourth"]
    kept.close()


@pytest.fixture
def failing_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails to sync a file for the second and the third time."""
    sync, asked = os.fsync, Counter[bool]()

    def fail(descriptor: int) -> None:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        asked[is_file] += 1
        if is_file and asked[is_file] in (2, 3):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
