"""An app that is killed at any moment keeps what it said was kept."""

from __future__ import annotations

import asyncio
import random

from tests.faults.conftest import CYCLES, Talk, account

LONGEST_LIFE = 0.4


async def test_what_was_acknowledged_before_a_kill_is_there_afterwards(
    start: Talk, empty_database_url: str, database_kind: str
) -> None:
    for cycle in range(CYCLES):
        with start(empty_database_url, name=f"{cycle}") as app:
            await app.until(1)
            await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
            app.kill()
            verdict = await account(app, what=f"kill -9, {database_kind}")
        assert verdict.flawless, verdict
