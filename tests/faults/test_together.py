"""Several apps on one database and one journal, and a clock that none of them can trust."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from tests.faults.conftest import HURRIED, NAMES, ROUNDS, App, Distant, Talk, account

APPS = 4 if ROUNDS > 1 else 2
TAKEOVERS = max(ROUNDS // 2, 1)


async def all_until(apps: Sequence[App], more: int) -> None:
    """Wait until that many more writes of each were acknowledged."""
    await asyncio.gather(*(app.until(more) for app in apps))


def kept(home: Path) -> int:
    """How many writes stand in the journal."""
    return sum(path.read_bytes().count(b"\n") for path in home.glob("journal/*.journal"))


def taken_over(app: App) -> int:
    """How many writes of earlier processes an app says that it brings in."""
    said = re.findall(r"(\d+) writes of an earlier process", app.log.read_text())
    return sum(map(int, said))


async def test_apps_that_take_over_one_journal_together_bring_in_everything_once(
    start: Talk, distant: Distant, home: Path, database_kind: str
) -> None:
    def some() -> list[App]:
        return [start(distant.url, database=HURRIED, patience=0.1, threads=2) for _ in range(APPS)]

    apps = some()
    for _ in range(TAKEOVERS):
        await all_until(apps[-APPS:], 20)
        async with distant.away():
            await all_until(apps[-APPS:], 50)
            for app in apps[-APPS:]:
                app.kill()
            left = kept(home)
            apps += some()
            await all_until(apps[-APPS:], 20)
        assert sum(map(taken_over, apps[-APPS:])) == left > 0
        await all_until(apps[-APPS:], 20)
    await asyncio.gather(*(app.end() for app in apps[-APPS:]))
    what = f"apps, {APPS} at once, killed while {NAMES[database_kind]} is away"
    verdict = await account(*apps, what=what, times=APPS * TAKEOVERS)
    assert verdict.flawless, verdict


async def test_a_clock_that_goes_back_all_the_time_brings_nothing_out_of_order(
    start: Talk, distant: Distant, database_kind: str
) -> None:
    orders = {"database": HURRIED, "patience": 0.1, "threads": 2, "set_back": True}
    apps = [start(distant.url, **orders)]
    for _ in range(ROUNDS):
        await apps[-1].until(200)
        async with distant.away():
            await apps[-1].until_journalled()
            await apps[-1].until(200)
            apps[-1].kill()
            apps.append(start(distant.url, **orders))
            await apps[-1].until(200)
        await apps[-1].until_brought_in()
    await apps[-1].end()
    verdict = await account(
        *apps, what=f"clock set back, and the app killed, {NAMES[database_kind]}", times=ROUNDS
    )
    assert verdict.flawless, verdict
