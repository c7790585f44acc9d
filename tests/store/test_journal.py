"""A database that goes away takes no conversation with it."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from chainkeep.blobs.local import LocalBlobs
from chainkeep.db.records import Operation, from_record, to_record
from chainkeep.db.step_writes import StepWrite
from chainkeep.errors import JournalFullError, TransientStorageError
from chainkeep.models import Caller, Element, Feedback, Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.values import utc_now
from tests.support.postgres import PostgresServer, postgres_servers
from tests.support.waiting import eventually

MakeStore = Callable[[], Store]


@pytest.fixture(scope="module")
def servers() -> Iterator[PostgresServer]:
    with PostgresServer(postgres_servers()[0]) as started:
        yield started


@pytest.fixture
def server(servers: PostgresServer) -> PostgresServer:
    """A server that runs, to be stopped and started."""
    if not servers.running:
        servers.start()
    return servers


@pytest.fixture
async def make_store(server: PostgresServer, tmp_path: Path) -> AsyncIterator[MakeStore]:
    """Stores on one database and one journal, which give up on the database at once."""
    name = await server.acreate_database()
    settings = Settings(
        database=DatabaseSettings(url=server.url(name)),
        journal=str(tmp_path / "journal"),
        close_timeout_seconds=1,
    )
    made: list[Store] = []

    def make() -> Store:
        made.append(Store(settings, blobs=LocalBlobs(tmp_path / "blobs"), write_retry_seconds=0.0))
        return made[-1]

    yield make
    for store in made:
        await store.close()


def step(number: int, output: str = "words") -> Step:
    return Step(id=f"s{number}", thread_id="t", type="run", output=output, created_at=utc_now())


async def outputs(store: Store) -> list[tuple[str, str]]:
    content = await store.get_thread("t")
    return [] if content is None else [(each.id, each.output) for each in content.steps]


async def readable(store: Store) -> bool:
    try:
        return await store.get_thread("t") is not None
    except TransientStorageError:
        return False


async def test_what_is_written_while_the_database_is_away_is_there_when_it_is_back(
    server: PostgresServer, make_store: MakeStore
) -> None:
    store = make_store()
    await store.create_step(step(0))
    server.stop("immediate")
    for number in range(1, 5):
        assert await store.create_step(step(number))
    assert await store.update_step(step(2, "newer"), given=["output"])
    server.start()
    await eventually(lambda: readable(store))
    assert await outputs(store) == [
        ("s0", "words"),
        ("s1", "words"),
        ("s2", "newer"),
        ("s3", "words"),
        ("s4", "words"),
    ]


async def test_a_thread_with_writes_in_the_journal_is_not_shown_without_them(
    server: PostgresServer, make_store: MakeStore
) -> None:
    store = make_store()
    await store.create_step(step(0))
    server.stop("immediate")
    await store.create_step(step(1))
    with pytest.raises(TransientStorageError):
        await store.get_thread("t")
    server.start()


async def test_the_next_process_brings_in_what_the_last_one_kept(
    server: PostgresServer, make_store: MakeStore, tmp_path: Path
) -> None:
    first = make_store()
    await first.create_step(step(0))
    server.stop("immediate")
    await first.create_step(step(1))
    await first.close()
    server.start()
    second = make_store()
    await second.create_step(step(2))
    await eventually(lambda: readable(second))
    assert [each for each, _ in await outputs(second)] == ["s0", "s1", "s2"]
    assert list((tmp_path / "journal").iterdir()) == []


async def test_two_processes_never_bring_in_the_same_writes_twice(
    server: PostgresServer, make_store: MakeStore
) -> None:
    first = make_store()
    await first.create_step(step(0))
    server.stop("immediate")
    await first.update_step(step(0, "older"), given=["output"])
    await first.close()
    server.start()
    second, third = make_store(), make_store()
    await second.update_step(step(0, "newer"), given=["output"])
    await third.create_step(step(1))
    await eventually(lambda: readable(second))
    await eventually(lambda: readable(third))
    assert await outputs(third) == [("s0", "newer"), ("s1", "words")]


async def test_the_journal_is_readable_by_its_owner_alone(
    server: PostgresServer, make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store()
    await store.create_step(step(0))
    server.stop("immediate")
    await store.create_step(step(1))
    directory = tmp_path / "journal"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert (stat.S_IMODE(directory.stat().st_mode), modes) == (0o700, {0o600})
    server.start()


async def test_a_journal_that_is_full_refuses_aloud_and_counts_what_it_refused(
    server: PostgresServer, make_store: MakeStore
) -> None:
    store = make_store()
    await store.create_step(step(0))
    store._replay._journal._limit = 2000
    server.stop("immediate")
    assert await store.create_step(step(1))
    with pytest.raises(JournalFullError):
        await store.create_step(step(2, "words " * 1000))
    full = store.health()
    assert (full.failed_writes, full.journal_writes) == (1, 1)
    assert full.last_error == str(JournalFullError())
    server.start()
    await eventually(lambda: readable(store))
    assert await store.create_step(step(2, "words"))
    assert [each for each, _ in await outputs(store)] == ["s0", "s1", "s2"]


async def test_a_write_that_the_database_refuses_is_set_aside_and_does_not_hold_up_the_rest(
    server: PostgresServer, make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store()
    await store.create_step(step(0))
    await store.create_step(Step(id="other", thread_id="u", created_at=utc_now()))
    server.stop("immediate")
    await store.create_step(Step(id="other", thread_id="t", created_at=utc_now()))
    await store.create_step(step(1))
    server.start()
    await eventually(lambda: readable(store))
    assert [each for each, _ in await outputs(store)] == ["s0", "s1"]
    [refused] = (tmp_path / "journal").glob("*.refused")
    assert stat.S_IMODE(refused.stat().st_mode) == 0o600


def test_every_kind_of_write_survives_the_journal() -> None:
    caller = Caller("t", "alice", "u1")
    works = [
        StepWrite(step=step(1), given=frozenset({"output"}), caller=caller, position=1),
        StepWrite(step=step(1), position=2),
        Operation(
            "save_element",
            {
                "element": Element(id="e", props={"a": [1]}),
                "caller": None,
                "revive": False,
                "position": 3,
            },
        ),
        Operation(
            "save_feedback", {"feedback": Feedback(id="f", for_id="s", value=1), "caller": caller}
        ),
    ]
    assert [from_record(to_record("t", work)) for work in works] == [("t", work) for work in works]


def test_what_is_queued_when_a_process_ends_without_closing_is_there_in_the_next(
    tmp_path: Path,
) -> None:
    program = """
import asyncio, sys
from chainkeep.models import Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.values import utc_now

async def main():
    url = f"sqlite+aiosqlite:///{sys.argv[1]}/c.db"
    settings = Settings(database=DatabaseSettings(url=url), journal=f"{sys.argv[1]}/journal",
                        blobs=f"{sys.argv[1]}/blobs")
    store = Store(settings)
    if sys.argv[2] == "write":
        for number in range(50):
            step = Step(id=f"s{number}", thread_id="t", type="run", created_at=utc_now())
            store.create_step(step)
        return
    await store.create_step(Step(id="last", thread_id="t", type="run", created_at=utc_now()))
    print(len((await store.get_thread("t")).steps))
    await store.close()

asyncio.run(main())
"""

    def run(mode: str) -> str:
        command = [sys.executable, "-c", program, str(tmp_path), mode]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    run("write")
    assert run("read").strip() == "51"
