"""An outbox before a store, and what is in its spool."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chainkeep.blobs import Blobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from tests.support.s3 import free_port

FAST: dict[str, Any] = {"first_pause": 0.02, "longest_pause": 0.1, "close_seconds": 0.5}


@asynccontextmanager
async def outbox(blobs: Blobs, spool: Path, **options: Any) -> AsyncIterator[Outbox]:
    """An outbox that is closed at the end, and does not make long pauses."""
    box = Outbox(blobs, spool, **FAST | options)
    try:
        yield box
    finally:
        await box.close()


def away(url: str | None = None, **options: Any) -> S3Blobs:
    """A store at which nobody listens, or at a URL that does not answer."""
    return S3Blobs(
        "bucket",
        endpoint_url=url or f"http://127.0.0.1:{free_port()}",
        access_key="key",
        secret_key="secret",
        connect_timeout=1,
        **{"max_attempts": 1, "read_timeout": 1} | options,
    )


def spooled(spool: Path) -> list[bytes]:
    """The bytes of every entry there is."""
    return [path.read_bytes() for path in sorted(spool.rglob("*.blob"))]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def first_file(spool: Path, suffix: str) -> Path:
    """Of the oldest entry."""
    return min(spool.rglob(f"*{suffix}"))


async def until(holds: Callable[[], object]) -> None:
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


KILLED = """
import asyncio, os, sys
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs

async def main():
    s3 = S3Blobs("bucket", endpoint_url=sys.argv[2], access_key="k", secret_key="s", max_attempts=1)
    box = Outbox(s3, sys.argv[1], wait_seconds=0)
    for text in sys.argv[3:]:
        key, _, content = text.partition("=")
        await box.put(key, content.encode(), content_type="text/plain")
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def killed_after_putting(spool: Path, **contents: str) -> None:
    """A process that puts the contents, the store being away, and is then killed."""
    arguments = [f"{key}={content}" for key, content in contents.items()]
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-c", KILLED, str(spool), url, *arguments]
    killed = await asyncio.to_thread(subprocess.run, command, check=False)
    assert killed.returncode == -9
