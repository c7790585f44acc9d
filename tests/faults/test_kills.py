"""An app that is killed at any moment keeps what it said was kept."""

from __future__ import annotations

import asyncio
import random

from tests.faults.conftest import CYCLES, NAMES, Talk, account

LONGEST_LIFE = 0.4


async def test_what_was_acknowledged_before_a_kill_is_there_afterwards(
    start: Talk, empty_database_url: str, database_kind: str
) -> None:
    for cycle in range(CYCLES):
        # Every third has attachments, which have to be written twice before they are acknowledged.
        with start(empty_database_url, name=f"{cycle}", attachments=cycle % 3 == 2) as app:
            await app.until(1)
            await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
            app.kill()
            verdict = await account(app, what=f"app killed with SIGKILL, {NAMES[database_kind]}")
        assert verdict.flawless, verdict
