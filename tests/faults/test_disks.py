"""A disk that is full or broken, and a database file that another process holds."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.db.faults import held_by_another_process
from tests.faults.conftest import ROUNDS, MakeUrl, Talk, account

STRACE = shutil.which("strace")
HURRIED = {"lock_timeout_seconds": 0.05}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk to be filled")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    needed = os.environ.get("CI", "").lower() == "true"
    if subprocess.run(mount, check=needed).returncode != 0:
        pytest.skip("this root may not mount a small disk to be filled")
    yield disk
    subprocess.run(["/bin/umount", "--lazy", str(disk)], check=True)


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
    verdict = await account(app, what="SQLite file locked for long", times=ROUNDS)
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
    verdict = await account(*apps, what="SQLite file locked, app killed", times=2 * ROUNDS)
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
    verdict = await account(app, what="disk full", times=ROUNDS)
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
    verdict = await account(app, what="disk full at the first start")
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
    verdict = await account(first, second, what="disk full, app killed")
    assert verdict.flawless, verdict
    assert intact(small_disk / "chainkeep.db")


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
    verdict = await account(app, what="journal full, file locked")
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
    verdict = await account(app, what="EIO on fsync", times=4)
    assert verdict.flawless, verdict
    assert intact(Path(path))


def intact(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
