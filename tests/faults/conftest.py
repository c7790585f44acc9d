"""Apps that are ended badly, or whose database is, and the account that is settled afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url
from typing_extensions import Self

from chainkeep.store import Store
from tests.db.faults import held_by_another_process
from tests.faults.figures import Figures
from tests.faults.talk import ATTACHED, Orders, content_of, open_store
from tests.support.faults import FaultProxy
from tests.support.ledger import DELETED, Kept, Note, Verdict, judge, read_notes
from tests.support.postgres import PostgresServer, postgres_servers
from tests.support.server import REPOSITORY
from tests.support.waiting import eventually

CYCLES = int(os.environ.get("CHAINKEEP_FAULT_CYCLES", "3"))
"""How often an app is killed on each database."""
ROUNDS = max(CYCLES // 10, 1)
"""How often other faults come."""

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
HURRIED: Mapping[str, Any] = {"lock_timeout_seconds": 0.05}
"""Of a database's settings: what waits for another process gives up soon."""

_FAULT = "fault"
_BEGAN = time.time()
_seen: list[list[Any]] = []
"""What the running test saw: a fault, how often it came, and the verdict."""


class App:
    """A running app."""

    def __init__(self, orders: Orders, under: Sequence[str] = ()) -> None:
        """``under`` is a command that runs it, such as strace."""
        self.orders = orders
        self.log = Path(orders.home, f"{orders.name}.log")
        self.ledger = Path(orders.home, "ledger")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*under, sys.executable, "-m", "tests.faults.talk", orders.as_json()],
                stdin=subprocess.PIPE,
                stderr=log,
                cwd=REPOSITORY,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def notes(self) -> list[Note]:
        """What it noted of steps so far."""
        return [note for note in self._notes() if note.version != ATTACHED]

    def attachments(self) -> list[Note]:
        """What it noted of attachments."""
        return [note for note in self._notes() if note.version == ATTACHED]

    def _notes(self) -> Iterator[Note]:
        mine = set(self.orders.thread_ids)
        return (note for note in read_notes(self.ledger) if note.thread_id in mine)

    async def until(self, more: int, *, seconds: float = 30.0) -> None:
        """Wait until that many more writes were acknowledged."""
        wanted = self._count(refused=False) + more
        await self._until(lambda: self._count(refused=False) >= wanted, seconds)

    async def until_attached(self, more: int) -> None:
        """Wait until that many more attachments were acknowledged."""
        wanted = len(self.attachments()) + more
        await self._until(lambda: len(self.attachments()) >= wanted, 30)

    async def until_refused(self) -> None:
        """Wait until more writes were refused."""
        before = self._count(refused=True)
        await self._until(lambda: self._count(refused=True) > before, 30)

    def _count(self, *, refused: bool) -> int:
        return sum(bool(note.error) == refused for note in self.notes())

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        async def held() -> bool:
            assert self.running, self.log.read_text()
            return holds()

        await eventually(held, seconds=seconds)

    async def until_journalled(self) -> None:
        """Wait until it keeps something in its journal."""
        await self._until(self._journalled, 20)

    async def until_brought_in(self) -> None:
        """Wait until a hundred writes in a row went past its journal, while it goes on talking."""
        since = self._count(refused=False)

        def past() -> bool:
            nonlocal since
            now = self._count(refused=False)
            since = now if self._journalled() else since
            return now >= since + 100

        await self._until(past, 60)

    def _journalled(self) -> bool:
        return any(map(_size, Path(self.orders.home, "journal").glob("*")))

    def kill(self) -> None:
        """End it as a power cut would; without effect when it ended."""
        self._process.kill()
        self._process.communicate()

    async def end(self, *, seconds: float = 30.0) -> None:
        """Let it finish what it began, and exit."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        deadline = time.monotonic() + seconds

        async def ended() -> bool:
            return not self.running or time.monotonic() > deadline

        await eventually(ended, seconds=seconds + 1)
        assert self._process.returncode == 0, self.log.read_text()[-5000:]


class Distant:
    """A database of either kind that can be out of reach."""

    def __init__(self, url: str, proxy: FaultProxy | None) -> None:
        self.url = url
        self._proxy = proxy

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Be out of reach: refuse connections, or be held by another process."""
        if self._proxy is None:
            with held_by_another_process(self.url):
                yield
        else:
            self._proxy.refuse()
            yield
            await self._proxy.accept()


Talk = Callable[..., App]
MakeUrl = Callable[[bool], str]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where apps keep what is not in the database."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def start(home: Path) -> Iterator[Talk]:
    """Starts apps on a database: ``start(url, name="1", ...)``; kills those that still run."""
    started: list[App] = []

    def start_one(url: str, under: Sequence[str] = (), **orders: Any) -> App:
        database = {"url": url, **orders.pop("database", {})}
        names = {"name": str(len(started)), **orders}
        started.append(App(Orders(home=str(home), database=database, **names), under))
        return started[-1]

    yield start_one
    for app in started:
        app.kill()


@pytest.fixture
async def distant(empty_database_url: str) -> AsyncIterator[Distant]:
    """An empty database, once of each kind, that can be out of reach."""
    url = make_url(empty_database_url)
    if url.port is None:
        yield Distant(empty_database_url, None)
        return
    async with FaultProxy(url.port) as proxy:
        yield Distant(str(url.set(port=proxy.port)), proxy)


@asynccontextmanager
async def next_store(orders: Orders) -> AsyncIterator[Store]:
    """The store of the process that comes after an app, once it brought in what that left."""
    store = open_store(orders)
    try:
        await store.update_thread("after", name="after")

        async def empty() -> bool:
            return store.health().journal_writes == 0

        await eventually(empty, seconds=30)
        yield store
    finally:
        await store.close()


async def kept_in(store: Store, thread_id: str) -> list[Kept]:
    """A thread's steps, in the order of reading."""
    content = await store.get_thread(thread_id)
    steps = [] if content is None else content.steps
    return [
        Kept(int(step.id.rpartition(".")[2]), DELETED if step.deleted_at else int(step.output))
        for step in steps
    ]


async def account(*apps: App, what: str, times: int = 1) -> Verdict:
    """Compare what the apps noted with what the next process reads, attachments byte for byte;
    ``what`` names the fault, and ``times`` says how often it came.
    """
    verdict = Verdict()
    async with next_store(apps[-1].orders) as store:
        for app in apps:
            kept = {thread: await kept_in(store, thread) for thread in app.orders.thread_ids}
            verdict += judge(app.notes(), kept)
            assert await lost_attachments(store, app.attachments()) == []
    _seen.append([what, times, *astuple(verdict)])
    return verdict


async def lost_attachments(store: Store, notes: Sequence[Note]) -> list[Note]:
    """The acknowledged steps whose attachment is not there, or not as it was handed over."""
    return [note for note in notes if not note.error and not await _attached(store, note)]


async def _attached(store: Store, note: Note) -> bool:
    element = await store.get_element(f"e.{note.thread_id}.{note.number}")
    if element is None or element.object_key is None:
        return False
    pieces = [piece async for piece in store.blobs.stream(element.object_key)]
    return b"".join(pieces) == content_of(note.thread_id, note.number)


@pytest.fixture(scope="module")
def servers() -> Iterator[PostgresServer]:
    with PostgresServer(postgres_servers()[0]) as running:
        yield running


@pytest.fixture
def server(servers: PostgresServer) -> PostgresServer:
    """A PostgreSQL server of the module's own, which runs, to be crashed."""
    if not servers.running:
        servers.start()
    return servers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Send what was seen along with the test's report, from whatever process it runs in."""
    try:
        return (yield)
    finally:
        item.user_properties += [(_FAULT, seen) for seen in _seen]
        _seen.clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was seen, in figures; in the page that CHAINKEEP_FAULT_DOCS names, if all was well."""
    figures = Figures()
    failed = terminalreporter.getreports("failed")
    for report in (*terminalreporter.getreports("passed"), *failed):
        for name, value in report.user_properties:
            if name == _FAULT:
                what, *seen = value
                figures.add(what, seen)
    if figures:
        terminalreporter.section("faults")
        for line in figures.as_text():
            terminalreporter.write_line(line)
        page = os.environ.get("CHAINKEEP_FAULT_DOCS")
        # A process that ran only some of the tests would write only what it saw.
        whole = not hasattr(terminalreporter.config, "workerinput")
        if page and whole and not failed and not terminalreporter.getreports("error"):
            figures.write_into(Path(page), time.time() - _BEGAN)


def _size(path: Path) -> int:
    """How many bytes are in a file; none where it is gone since it was listed."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
