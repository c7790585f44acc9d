"""A disk that is full or broken, and a database file that another process holds."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.db.faults import held_by_another_process
from tests.faults.conftest import HURRIED, ROUNDS, MakeUrl, Talk, account
from tests.support.postgres import PostgresServer, postgres_servers
from tests.support.waiting import eventually

Mount = Callable[[int], Path]
STRACE = shutil.which("strace")


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Makes disks of a few megabytes: ``mount(8)``."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to be filled")
    mounted: list[Path] = []

    def make(megabytes: int) -> Path:
        # Not in the test's own directory, which a server that is nobody's may not enter.
        disk = Path(tempfile.mkdtemp(prefix="chainkeep-disk-"))
        options = f"size={megabytes}m,mode=700"
        command = ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        needed = os.environ.get("CI", "").lower() == "true"
        if subprocess.run(command, check=needed).returncode != 0:
            pytest.skip("this root may not mount a small disk to be filled")
        mounted.append(disk)
        return disk

    yield make
    for disk in mounted:
        subprocess.run(["/bin/umount", "--lazy", str(disk)], check=True)
        disk.rmdir()


@pytest.fixture
def small_disk(mount: Mount) -> Path:
    return mount(64)  # the log alone may have 16


THROW_OUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'"


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


async def test_a_file_that_another_process_holds_for_long_gets_everything_in_the_end(
    start: Talk, make_sqlite: MakeUrl
) -> None:
    url = make_sqlite(False)
    app = start(url, database=HURRIED, patience=0.1)
    for _ in range(ROUNDS):
        await app.until(100)
        with held_by_another_process(url):
            await app.until_journalled()
            await app.until(500)
        await app.until_brought_in()
    await app.end()
    verdict = await account(app, what="SQLite file locked for longer than the pauses", times=ROUNDS)
    assert verdict.flawless, verdict


async def test_apps_that_are_killed_while_the_file_is_held_lose_nothing_they_acknowledged(
    start: Talk, make_sqlite: MakeUrl
) -> None:
    url = make_sqlite(False)
    apps = [start(url, database=HURRIED, patience=0.1)]
    await apps[-1].until(100)
    with held_by_another_process(url):
        for _ in range(2 * ROUNDS):
            await apps[-1].until_journalled()
            await apps[-1].until(200)
            apps[-1].kill()
            apps.append(start(url, database=HURRIED, patience=0.1))
        await apps[-1].until(200)
    await apps[-1].end()
    verdict = await account(
        *apps, what="SQLite file locked, and the app killed meanwhile", times=2 * ROUNDS
    )
    assert verdict.flawless, verdict


async def test_a_full_disk_delays_what_is_written_until_there_is_room(
    start: Talk, small_disk: Path
) -> None:
    app = start(f"sqlite+aiosqlite:///{small_disk}/chainkeep.db", patience=0.1)
    for _ in range(ROUNDS):
        await app.until(100)
        ballast = fill(small_disk)
        await app.until_journalled()
        await app.until(300)
        ballast.unlink()
        await app.until_brought_in()
    await app.end()
    verdict = await account(app, what="disk full, then freed, SQLite", times=ROUNDS)
    assert verdict.flawless, verdict
    assert intact(small_disk / "chainkeep.db")


async def test_an_app_that_starts_on_a_full_disk_gets_its_tables_when_there_is_room(
    start: Talk, small_disk: Path
) -> None:
    ballast = fill(small_disk)
    app = start(f"sqlite+aiosqlite:///{small_disk}/chainkeep.db", patience=0.1)
    await app.until(100)
    ballast.unlink()
    await app.until_brought_in()
    await app.until(100)
    await app.end()
    verdict = await account(app, what="disk full at the first start, SQLite")
    assert verdict.flawless, verdict


async def test_an_app_that_is_killed_on_a_full_disk_loses_nothing_it_acknowledged(
    start: Talk, small_disk: Path
) -> None:
    url = f"sqlite+aiosqlite:///{small_disk}/chainkeep.db"
    first = start(url, patience=0.1)
    await first.until(100)
    ballast = fill(small_disk)
    await first.until_journalled()
    await first.until(200)
    first.kill()
    second = start(url, patience=0.1)
    await second.until(200)
    ballast.unlink()
    await second.end()
    verdict = await account(first, second, what="disk full, and the app killed meanwhile, SQLite")
    assert verdict.flawless, verdict
    assert intact(small_disk / "chainkeep.db")


async def test_a_server_whose_disk_is_full_gets_everything_when_there_is_room(
    start: Talk, mount: Mount
) -> None:
    disk = mount(128)
    with PostgresServer(postgres_servers()[0], disk=disk) as server:
        app = start(server.url(await server.acreate_database()), patience=0.1, threads=2)
        for _ in range(ROUNDS):
            await app.until(100)
            ballast = fill(disk)
            await app.until_journalled()
            await app.until(300)
            ballast.unlink()
            # It may have given up: it cannot even recover where there is no room.
            await asyncio.to_thread(server.restart, "immediate")
            await app.until_brought_in()
        await app.end()
        verdict = await account(app, what="disk full, then freed, PostgreSQL", times=ROUNDS)
    assert verdict.flawless, verdict


async def test_a_journal_without_room_refuses_aloud_and_is_no_hindrance_afterwards(
    start: Talk, make_sqlite: MakeUrl, small_disk: Path, home: Path
) -> None:
    (home / "journal").symlink_to(small_disk)
    url = make_sqlite(True)
    app = start(url, database=HURRIED, patience=0.1)
    await app.until(100)
    fill(small_disk)
    with held_by_another_process(url):
        await app.until_refused()
    await app.until(100)
    await app.end()
    verdict = await account(app, what="disk of the journal full while the file is locked")
    assert verdict.refused > 0
    assert replace(verdict, refused=0).flawless, verdict


@pytest.mark.skipif(STRACE is None, reason="strace is not installed: no disk can be made to fail")
async def test_a_disk_that_fails_to_sync_acknowledges_nothing_that_is_not_on_it(
    start: Talk, make_sqlite: MakeUrl
) -> None:
    url = make_sqlite(True)
    path = str(make_url(url).database)
    tracer = [str(STRACE), "-f", "-qq", "-o", "/dev/null", "-P", f"{path}-wal", "-P", path]
    fault = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=10..13"]
    app = start(url, patience=0.1, under=[*tracer, *fault])
    await app.until(100)
    await app.until_journalled()
    await app.until(300)
    await app.until_brought_in()
    await app.until(100)
    await app.end()
    verdict = await account(app, what="`fsync` fails (EIO), SQLite", times=4)
    assert verdict.flawless, verdict
    assert intact(Path(path))


def may_attach() -> bool:
    """Whether strace may attach to what it did not start: Linux can leave that to root."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    return os.geteuid() == 0 or not scope.exists() or scope.read_text("utf-8").strip() == "0"


@pytest.mark.skipif(STRACE is None, reason="strace is not installed: no disk can be made to fail")
@pytest.mark.skipif(
    not may_attach(), reason="kernel.yama.ptrace_scope lets only root attach strace"
)
async def test_a_server_whose_disk_fails_to_sync_costs_nothing(
    start: Talk, server: PostgresServer
) -> None:
    await server.aexecute("ALTER SYSTEM SET fsync = on")
    await server.aexecute("SELECT pg_reload_conf()")
    app = start(server.url(await server.acreate_database()), patience=0.1, threads=1)
    await app.until(100)
    with failing_syncs(server.pid):
        await server.aexecute(THROW_OUT)
        await eventually_panics(server, 3)
    await app.until_brought_in()
    await app.end()
    times = panics(server)
    verdict = await account(app, what="`fsync` fails (EIO), PostgreSQL", times=times)
    assert verdict.flawless, verdict


@contextmanager
def failing_syncs(server: int) -> Iterator[None]:
    """The twentieth time that a new process of a PostgreSQL server syncs a file, it fails."""
    fault = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=20"]
    command = [str(STRACE), "-f", "-o", "/dev/null", *fault, "-p", str(server)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        assert b"attached" in tracer.stderr.readline()
        yield
        tracer.terminate()


def panics(server: PostgresServer) -> int:
    """How often a server gave up because of its disk."""
    return server.log().count("PANIC")


async def eventually_panics(server: PostgresServer, times: int) -> None:
    async def often_enough() -> bool:
        return panics(server) >= times

    await eventually(often_enough, seconds=60)


def intact(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
