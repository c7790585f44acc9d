"""Several processes write in one thread."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from pathlib import Path

from chainkeep.threads import Thread

WRITERS, EACH = 8, 25

WRITER = """
import asyncio
import sys

from chainkeep.threads import open_threads

async def main(thread_id, name, count):
    async with open_threads() as threads:
        thread = await threads.get(thread_id)
        print("ready", flush=True)
        sys.stdin.readline()
        posts = [thread.add_message("user", f"{name}-{number}") for number in range(count)]
        await asyncio.gather(*posts)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def started(thread: Thread, name: str, url: str, home: Path) -> Process:
    """A process that has opened the thread and waits for a line before it writes."""
    places = {f"CHAINKEEP_{place}": str(home / name / place) for place in ("JOURNAL", "SPOOL")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, thread.id, name, str(EACH),
        stdin=PIPE, stdout=PIPE, env={**os.environ, "CHAINKEEP_DATABASE_URL": url, **places},
    )  # fmt: skip


async def stopped(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def written_by_all(thread: Thread, url: str, home: Path) -> list[int | None]:
    """How the processes ended, which began to write together."""
    async with AsyncExitStack() as stack:
        writers = []
        for number in range(WRITERS):
            writers.append(await started(thread, f"w{number}", url, home))
            stack.push_async_callback(stopped, writers[-1])
        for writer in writers:
            assert writer.stdout is not None
            assert await writer.stdout.readline() == b"ready\n"
        await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
        return [writer.returncode for writer in writers]


async def test_eight_processes_at_once_keep_every_message(
    thread: Thread, database_url: str, tmp_path: Path
) -> None:
    ended = await asyncio.wait_for(written_by_all(thread, database_url, tmp_path), 120)
    assert ended == [0] * WRITERS
    found = await thread.messages()
    assert [message.sequence for message in found] == list(range(1, WRITERS * EACH + 1))
    assert len({message.created_at for message in found}) == WRITERS * EACH
    for name in (f"w{number}" for number in range(WRITERS)):
        own = [message.text for message in found if message.text.startswith(f"{name}-")]
        assert own == [f"{name}-{number}" for number in range(EACH)]
