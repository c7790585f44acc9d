"""One of several processes that write the same threads: ``python worker.py URL NAME HOME``.

Says "ready", waits for a line, writes all at once, and prints the errors as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path

from chainkeep.models import Caller, Feedback, Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store

THREADS = 3
STEPS = 20
MOMENT = "2026-01-01T00:00:00.{:06}Z"


async def write(store: Store, name: str) -> list[str]:
    """Create and update steps, merge metadata, vote; the errors."""
    writes: list[Awaitable[object]] = []
    for number in range(STEPS):
        for each in range(THREADS):
            thread_id = f"t{each}"
            caller = Caller(thread_id=thread_id, identifier="ada")
            step = Step(
                id=f"{name}.{each}.{number}",
                thread_id=thread_id,
                created_at=MOMENT.format(number),
                output="first",
            )
            newer = Step(id=step.id, thread_id=thread_id, created_at=step.created_at, output="last")
            vote = Feedback(id=f"vote.{step.id}", for_id=step.id, thread_id=thread_id, value=1)
            writes += [
                store.create_step(step, caller=caller),
                store.update_thread(thread_id, metadata={f"{name}.{number}": number}),
                store.update_step(newer, given=["output"], caller=caller),
                store.save_feedback(vote),
            ]
        await asyncio.sleep(0)
    results = await asyncio.gather(*writes, return_exceptions=True)
    return [repr(result) for result in results if isinstance(result, BaseException)]


async def main(url: str, name: str, home: str) -> None:
    settings = Settings(
        database=DatabaseSettings(url=url),
        blobs=str(Path(home, "blobs")),
        journal=str(Path(home, "journal")),
    )
    store = Store(settings)
    say("ready")
    sys.stdin.readline()
    errors = await write(store, name)
    await store.close()
    say(json.dumps(errors))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
