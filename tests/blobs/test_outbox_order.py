from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chainkeep.blobs.keys import element_key
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from chainkeep.errors import BlobError, BlobNotFoundError, TransientBlobError
from tests.blobs.conftest import MakeS3
from tests.blobs.contract import KEY, listed, put, read
from tests.blobs.spooling import (
    away,
    outbox,
    spooled,
)
from tests.support.faulty_network import Proxy


class TestOrder:
    async def test_the_last_put_of_a_key_wins(
        self, make_s3: MakeS3, proxy: Proxy, spool: Path
    ) -> None:
        async with outbox(make_s3(endpoint_url=proxy.url), spool, wait_seconds=0.01) as box:
            proxy.open.clear()
            for number in range(5):
                await put(box, str(number).encode())
                assert await read(box) == str(number).encode()
            proxy.open.set()
            assert await box.drain(20)

            assert await read(make_s3()) == b"4"
        assert spooled(spool) == []

    async def test_puts_at_once_count_in_the_order_of_their_calls(
        self, s3: S3Blobs, spool: Path
    ) -> None:
        async with outbox(s3, spool) as box:
            puts = [put(box, b"x" * 3_000_000), put(box, b"y" * 100), put(box, b"z")]
            await asyncio.gather(*puts)
            assert await box.drain(20)

            assert await read(s3) == b"z"

    async def test_deleting_calls_back_what_waits(self, spool: Path) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"bytes")
            with pytest.raises(TransientBlobError):
                await box.delete([KEY])

            assert box.pending().count == 0
        assert spooled(spool) == []

    async def test_deleting_waits_for_what_is_on_its_way(
        self, make_s3: MakeS3, proxy: Proxy, spool: Path
    ) -> None:
        async with outbox(make_s3(endpoint_url=proxy.url), spool, wait_seconds=0.01) as box:
            proxy.open.clear()
            await put(box, b"bytes")
            await asyncio.wait_for(proxy.arrived.wait(), 10)
            deleting = asyncio.create_task(box.delete([KEY]))
            await asyncio.wait({deleting}, timeout=0.2)
            assert not deleting.done()
            proxy.open.set()
            await deleting

            assert await listed(make_s3()) == set()
            with pytest.raises(BlobNotFoundError):
                await read(box)
        assert spooled(spool) == []

    async def test_what_is_put_after_a_deletion_stays(
        self, make_s3: MakeS3, proxy: Proxy, spool: Path
    ) -> None:
        async with outbox(make_s3(endpoint_url=proxy.url), spool, wait_seconds=0.01) as box:
            proxy.open.clear()
            await put(box, b"first")
            deleting = asyncio.create_task(box.delete([KEY]))
            await asyncio.wait({deleting}, timeout=0.1)
            await put(box, b"second")
            proxy.open.set()
            await deleting
            assert await box.drain(20)

            assert await read(make_s3()) == b"second"

    async def test_no_more_uploads_at_a_time_than_agreed(
        self, make_s3: MakeS3, spool: Path
    ) -> None:
        async with outbox(make_s3(), spool, max_uploads=2) as box:
            flying = 0

            def note() -> None:
                nonlocal flying
                flying = max(
                    flying, sum(line.flying is not None for line in box._delivery._lines.values())
                )

            puts = [put(box, b"x" * 500_000, element_key("t", str(n))) for n in range(12)]
            storing = asyncio.gather(*puts)
            while not storing.done():
                note()
                await asyncio.sleep(0.001)
            await storing

        assert flying == 2


class TestRefusals:
    async def test_a_refused_blob_stays_and_is_told(
        self, make_s3: MakeS3, spool: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with outbox(make_s3(secret_key="wrong-secret"), spool) as box:
            await put(box, b"bytes")

            assert box.pending().refused == (KEY,)
            assert await read(box) == b"bytes"
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert KEY in caplog.text

    async def test_it_is_tried_again_at_the_next_start(self, make_s3: MakeS3, spool: Path) -> None:
        async with outbox(make_s3(secret_key="wrong-secret"), spool) as box:
            await put(box, b"bytes")
        async with outbox(make_s3(), spool) as box:
            await box.start()
            assert await box.drain(20)

        assert await read(make_s3()) == b"bytes"

    async def test_a_later_put_of_its_key_is_tried(self, make_s3: MakeS3, spool: Path) -> None:
        async with outbox(make_s3(secret_key="wrong-secret"), spool) as box:
            await put(box, b"first")
            await put(box, b"second")

            assert box.pending().count == 1
            assert await read(box) == b"second"
        assert spooled(spool) == [b"second"]

    async def test_a_file_that_vanished_is_the_callers_error(
        self, s3: S3Blobs, spool: Path, tmp_path: Path
    ) -> None:
        async with outbox(s3, spool) as box:
            with pytest.raises(BlobError, match="vanished"):
                await put(box, tmp_path / "vanished")

            assert box.pending().count == 0

    async def test_where_the_spool_has_no_room_the_blob_goes_straight_to_the_store(
        self, s3: S3Blobs, spool: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with outbox(s3, spool) as box:
            await put(box, b"before")

            def full(*_: object) -> None:
                raise TransientBlobError("No space left on device")

            monkeypatch.setattr(box._spool, "secure", full)
            await put(box, b"after")

            assert await read(s3) == b"after"

    async def test_a_closed_outbox_says_so(self, s3: S3Blobs, spool: Path) -> None:
        box = Outbox(s3, spool)
        await box.close()
        await box.close()

        with pytest.raises(BlobError, match="closed"):
            await put(box, b"bytes")
