from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from chainkeep.blobs.local import LocalBlobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from tests.blobs.contract import KEY, OTHER_KEY, listed, put, read
from tests.blobs.spooling import (
    FAST,
    away,
    first_file,
    killed_after_putting,
    names,
    outbox,
    spooled,
)


class TestRestart:
    async def test_what_a_killed_process_took_in_arrives(self, s3: S3Blobs, spool: Path) -> None:
        await killed_after_putting(spool, **{KEY: "one", OTHER_KEY: "two"})
        async with outbox(s3, spool) as box:
            await box.start()
            assert await box.drain(20)

            assert await read(s3) == b"one"
            assert await read(s3, OTHER_KEY) == b"two"
        assert spooled(spool) == []
        assert names(spool) == ["lock", "torn"]

    async def test_it_is_read_from_here_meanwhile(self, spool: Path) -> None:
        await killed_after_putting(spool, **{KEY: "one"})
        async with outbox(away(), spool) as box:
            assert await read(box) == b"one"

    async def test_what_was_left_at_closing_arrives_next_time(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"first")
            await put(box, b"second")
        async with outbox(s3, spool) as box:
            await box.start()
            assert await box.drain(20)

            assert await read(s3) == b"second"

    async def test_of_two_blobs_left_under_one_key_the_later_counts(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        await killed_after_putting(spool, **{KEY: "earlier"})
        await killed_after_putting(spool, **{KEY: "later"})
        async with outbox(s3, spool) as box:
            await box.start()
            assert await box.drain(20)

            assert await read(s3) == b"later"
        assert spooled(spool) == []

    @pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"key": "ab"}', b"\xff\xfe"])
    async def test_an_entry_whose_description_is_torn_is_set_aside(
        self, s3: S3Blobs, spool: Path, content: bytes
    ) -> None:
        await killed_after_putting(spool, **{KEY: "one", OTHER_KEY: "two"})
        first_file(spool, ".json").write_bytes(content)
        async with outbox(s3, spool) as box:
            await box.start()
            assert await box.drain(20)

            assert await listed(s3) == {OTHER_KEY}
        assert len(names(spool / "torn")) == 2

    async def test_bytes_without_a_description_are_set_aside(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        await killed_after_putting(spool, **{KEY: "one"})
        first_file(spool, ".json").unlink()
        async with outbox(s3, spool) as box:
            await box.start()

            assert box.pending().count == 0
        assert first_file(spool / "torn", ".blob").read_bytes() == b"one"

    async def test_bytes_that_are_cut_short_are_set_aside(self, s3: S3Blobs, spool: Path) -> None:
        await killed_after_putting(spool, **{KEY: "one"})
        os.truncate(first_file(spool, ".blob"), 1)
        async with outbox(s3, spool) as box:
            await box.start()

            assert box.pending().count == 0
        assert len(names(spool / "torn")) == 2

    async def test_a_description_without_bytes_is_what_had_arrived(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        await killed_after_putting(spool, **{KEY: "one"})
        first_file(spool, ".blob").unlink()
        async with outbox(s3, spool) as box:
            await box.start()

            assert box.pending().count == 0
        assert names(spool / "torn") == []


class TestSharing:
    async def test_what_a_living_process_took_in_is_left_to_it(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        async with outbox(away(), spool) as theirs, outbox(s3, spool) as ours:
            await put(theirs, b"theirs")
            await ours.start()
            await put(ours, b"ours", OTHER_KEY)

            assert theirs.pending().count == 1
            assert await read(theirs) == b"theirs"
            assert await listed(s3) == {OTHER_KEY}

    async def test_many_may_start_at_once(self, spool: Path) -> None:
        await killed_after_putting(spool, **{KEY: "one"})
        boxes = [Outbox(LocalBlobs(spool.parent / "blobs"), spool, **FAST) for _ in range(5)]
        await asyncio.gather(*(box.start() for box in boxes))

        assert all([await box.drain(20) for box in boxes])
        for box in boxes:
            await box.close()
        assert await read(LocalBlobs(spool.parent / "blobs")) == b"one"

    async def test_a_caller_that_gives_up_loses_nothing(self, s3: S3Blobs, spool: Path) -> None:
        async with outbox(s3, spool) as box:
            await box.start()
            putting = asyncio.create_task(put(box, b"x" * 5_000_000))
            await asyncio.sleep(0)
            putting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await putting
            assert await box.drain(20)

            assert len(await read(s3)) == 5_000_000
