from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chainkeep.blobs.keys import element_key
from chainkeep.blobs.local import LocalBlobs
from chainkeep.errors import (
    BlobError,
    BlobNotFoundError,
    InvalidInputError,
    TransientBlobError,
)
from tests.blobs.contract import KEY, OTHER_KEY, PIECE, listed, put, read

ESCAPES = ["../secret", "ab/../../secret", "/etc/passwd", "ab/\x00", "", "AB/CD", "ab\\..\\cd"]


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[LocalBlobs]:
    blobs = LocalBlobs(tmp_path / "blobs")
    yield blobs
    await blobs.close()


def files(blobs: LocalBlobs) -> list[Path]:
    return [path for path in blobs.directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize("key", ESCAPES)
async def test_a_key_that_leads_elsewhere_is_not_stored(blobs: LocalBlobs, key: str) -> None:
    with pytest.raises(InvalidInputError):
        await put(blobs, b"bytes", key)

    assert files(blobs) == []


@pytest.mark.parametrize("key", ESCAPES)
async def test_a_key_that_leads_elsewhere_reads_nothing(
    blobs: LocalBlobs, key: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"not for you")

    with pytest.raises(BlobNotFoundError):
        await read(blobs, key)
    with pytest.raises(BlobNotFoundError):
        await blobs.info(key)


@pytest.mark.parametrize("key", ESCAPES)
async def test_a_key_that_leads_elsewhere_deletes_nothing(
    blobs: LocalBlobs, key: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"still here")
    await blobs.delete([key])

    assert (tmp_path / "secret").read_bytes() == b"still here"


async def test_only_the_owner_may_look(blobs: LocalBlobs) -> None:
    await put(blobs, b"private")

    assert {stat.S_IMODE(path.stat().st_mode) for path in files(blobs)} == {0o600}
    folders = [path for path in blobs.directory.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


async def test_a_file_that_vanished_is_an_error_that_names_it(
    blobs: LocalBlobs, tmp_path: Path
) -> None:
    with pytest.raises(BlobError, match="vanished"):
        await put(blobs, tmp_path / "vanished")

    assert files(blobs) == []


async def test_a_browser_is_given_no_address(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes")

    assert await blobs.url(KEY, content_type="text/plain") is None


async def test_a_reading_that_began_ends_with_the_bytes_it_began_with(blobs: LocalBlobs) -> None:
    await put(blobs, b"1" * (2 * PIECE))
    pieces = blobs.stream(KEY)
    first = await anext(pieces)
    await put(blobs, b"2" * (2 * PIECE))

    rest = b"".join([piece async for piece in pieces])

    assert first + rest == b"1" * (2 * PIECE)


async def test_what_a_dead_process_left_is_no_blob(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes")
    (blobs.directory / ".incoming" / "left").write_bytes(b"half")

    assert await listed(blobs) == {KEY}


async def test_what_a_dead_process_left_is_removed_after_a_day(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes")
    old, young = (blobs.directory / ".incoming" / name for name in ("old", "young"))
    for left in (old, young):
        left.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)

    another = LocalBlobs(blobs.directory)
    await put(another, b"bytes")
    await another.close()

    assert (old.exists(), young.exists()) == (False, True)


async def test_a_deleted_thread_leaves_no_directory(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes")
    await put(blobs, b"bytes", OTHER_KEY)
    await blobs.delete([KEY, OTHER_KEY])

    assert {path.name for path in blobs.directory.rglob("*")} <= {".incoming", KEY[:2]}


async def test_blobs_put_by_one_process_are_read_by_another(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes")
    another = LocalBlobs(blobs.directory)

    assert await read(another) == b"bytes"
    await another.close()


async def test_a_key_that_is_part_of_anothers_is_not_there(blobs: LocalBlobs) -> None:
    await put(blobs, b"bytes", "ab/cd")

    with pytest.raises(BlobNotFoundError):
        await blobs.info("ab")
    with pytest.raises(BlobNotFoundError):
        await blobs.info("ab/cd/ef")
    await blobs.delete(["ab/cd/ef"])


async def test_a_full_disk_may_pass(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TransientBlobError, match="No space left"):
            await put(blobs, b"bytes")

    assert await listed(blobs) == set()
    assert files(blobs) == []


async def test_a_closed_store_says_so(blobs: LocalBlobs) -> None:
    await blobs.close()

    with pytest.raises(BlobError, match="closed"):
        await put(blobs, b"bytes")


async def test_the_event_loop_goes_on_while_a_slow_source_is_read(
    blobs: LocalBlobs, tmp_path: Path
) -> None:
    source = tmp_path / "pipe"
    os.mkfifo(source)
    storing = asyncio.create_task(put(blobs, source))
    await asyncio.to_thread(source.write_bytes, b"at last")
    await storing

    assert await read(blobs) == b"at last"


KILLED_WHILE_WRITING = """
import asyncio, os, sys
from pathlib import Path
from chainkeep.blobs.local import LocalBlobs

async def main():
    blobs = LocalBlobs(sys.argv[1])
    sync, os.fsync = os.fsync, lambda descriptor: os.kill(os.getpid(), 9)
    await blobs.put(sys.argv[2], b"half", content_type="text/plain")

asyncio.run(main())
"""


async def test_a_process_killed_while_it_writes_leaves_the_former_blob(blobs: LocalBlobs) -> None:
    await put(blobs, b"former")
    command = [sys.executable, "-c", KILLED_WHILE_WRITING, str(blobs.directory), KEY]

    killed = await asyncio.to_thread(subprocess.run, command, check=False)

    assert killed.returncode == -9
    assert await read(blobs) == b"former"
    assert await listed(blobs) == {KEY}


async def test_blobs_are_spread_over_directories(blobs: LocalBlobs) -> None:
    for number in range(20):
        await put(blobs, b"x", element_key(f"thread {number}", "element"))

    shards = [path for path in blobs.directory.iterdir() if path.name != ".incoming"]
    assert len(shards) > 10
