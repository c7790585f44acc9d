from __future__ import annotations

import errno
import logging
import os
import stat
import time
from pathlib import Path

import pytest

from chainkeep.blobs.s3 import S3Blobs
from tests.blobs.conftest import MakeS3
from tests.blobs.contract import KEY, OTHER_KEY, listed, put, read
from tests.blobs.spooling import (
    away,
    names,
    outbox,
    spooled,
    until,
)
from tests.support.faulty_network import Proxy, proxy_before, silent_server
from tests.support.s3 import S3Server, free_port, nanio_server


def modes(directory: Path) -> tuple[set[int], set[int]]:
    """The modes of the files and of the folders below."""
    paths = list(directory.rglob("*"))
    of_files = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()}
    return of_files, {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}


class TestWhenAllIsWell:
    async def test_a_blob_goes_to_the_store_at_once(self, s3: S3Blobs, spool: Path) -> None:
        async with outbox(s3, spool) as box:
            await put(box, b"bytes")

            assert await read(s3) == b"bytes"
            assert box.pending().count == 0
            assert spooled(spool) == []

    async def test_type_and_name_go_with_it(self, moto: S3Server, spool: Path) -> None:
        s3 = S3Blobs(moto.make_bucket(), **moto.options())
        async with outbox(s3, spool) as box:
            await box.put(KEY, b"{}", content_type="application/json", disposition="inline")
            head = moto.client.head_object(Bucket=s3.bucket, Key=KEY)

        assert (head["ContentType"], head["ContentDisposition"]) == ("application/json", "inline")

    async def test_its_url_is_the_stores(self, s3: S3Blobs, spool: Path) -> None:
        async with outbox(s3, spool) as box:
            await put(box, b"bytes")
            url = await box.url(KEY, content_type="text/plain")

        assert url is not None
        assert url.startswith(str(s3.endpoint_url))

    async def test_closing_leaves_nothing_behind(self, s3: S3Blobs, spool: Path) -> None:
        async with outbox(s3, spool) as box:
            await put(box, b"bytes")

        assert names(spool) == ["lock", "torn"]


class TestWhenTheStoreIsAway:
    async def test_putting_is_no_error(self, spool: Path) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"bytes")

            assert box.pending().count == 1

    async def test_the_blob_is_read_from_here(self, spool: Path) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"0123456789")

            assert await read(box) == b"0123456789"
            assert await read(box, start=2, end=5) == b"234"
            assert (await box.info(KEY)).size == 10
            assert await box.url(KEY, content_type="text/plain") is None

    async def test_the_backlog_tells_what_waits(self, spool: Path) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"12345")
            await put(box, b"123", OTHER_KEY)
            backlog = box.pending()

        assert (backlog.count, backlog.bytes, backlog.refused) == (2, 8, ())
        assert 0 < backlog.oldest_seconds < 60

    async def test_the_spool_is_private(self, spool: Path) -> None:
        async with outbox(away(), spool) as box:
            await put(box, b"bytes")

            files, folders = modes(spool)
            assert files == {0o600}
            assert folders == {0o700}

    async def test_the_blob_arrives_when_the_store_is_back(
        self, tmp_path: Path, spool: Path
    ) -> None:
        pytest.importorskip("nanio")
        port, data = free_port(), tmp_path / "nanio"
        with nanio_server(data, port) as server:
            s3 = S3Blobs(server.make_bucket(), **server.options(connect_timeout=1, read_timeout=1))
        async with outbox(s3, spool) as box:
            await put(box, b"bytes")
            assert box.pending().count == 1
            with nanio_server(data, port):
                await until(lambda: box.pending().count == 0)

                assert await read(s3) == b"bytes"
        assert spooled(spool) == []

    async def test_an_upload_that_is_cut_is_tried_again(
        self, make_s3: MakeS3, proxy: Proxy, spool: Path
    ) -> None:
        proxy.cut_after = 500_000
        s3 = make_s3(endpoint_url=proxy.url)
        async with outbox(s3, spool) as box:
            await put(box, b"x" * 2_000_000)
            assert box.pending().count == 1
            proxy.cut_after = None
            await until(lambda: box.pending().count == 0)

            assert len(await read(s3)) == 2_000_000

    async def test_a_store_that_hangs_holds_up_a_put_no_longer_than_agreed(
        self, spool: Path
    ) -> None:
        with silent_server() as url:
            async with outbox(away(url, read_timeout=8), spool, wait_seconds=0.1) as box:
                began = time.monotonic()
                await put(box, b"bytes")
                took = time.monotonic() - began
                assert await read(box) == b"bytes"

        assert took < 6

    async def test_once_it_is_known_to_be_away_nobody_waits(self, spool: Path) -> None:
        with silent_server() as url:
            async with outbox(away(url, read_timeout=4), spool, wait_seconds=30) as box:
                await put(box, b"the first finds out")
                began = time.monotonic()
                await put(box, b"bytes", OTHER_KEY)
                took = time.monotonic() - began

        assert took < 3

    async def test_it_is_said_once_and_without_content(
        self, spool: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "chainkeep")
        async with outbox(away(), spool) as box:
            await put(box, b"private words")
            assert not await box.drain(0.5)

        assert len([record for record in caplog.records if KEY in record.getMessage()]) == 1
        assert "private words" not in caplog.text

    async def test_the_file_may_go_once_it_was_put(self, spool: Path, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"bytes")
        async with outbox(away(), spool) as box:
            await put(box, source)
            source.write_bytes(b"changed")
            source.unlink()

            assert await read(box) == b"bytes"

    async def test_a_file_that_stays_as_it_is_may_be_linked(
        self, spool: Path, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"bytes")
        async with outbox(away(), spool, link=True) as box:
            await put(box, source)
            assert source.stat().st_nlink == 2
            source.unlink()

            assert await read(box) == b"bytes"

    async def test_what_cannot_be_linked_is_copied(
        self, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"bytes")

        def refuse(*_: object) -> None:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)
        async with outbox(away(), spool, link=True) as box:
            await put(box, source)

            assert await read(box) == b"bytes"
            assert source.stat().st_nlink == 1

    async def test_what_waits_is_among_the_keys(self, moto: S3Server, spool: Path) -> None:
        bucket = moto.make_bucket()
        async with proxy_before(moto.port) as proxy:
            s3 = S3Blobs(bucket, **moto.options(endpoint_url=proxy.url))
            async with outbox(s3, spool) as box:
                await put(box, b"bytes", OTHER_KEY)
                proxy.cut_after = 100_000
                await put(box, b"x" * 1_000_000)

                assert await listed(box) == {KEY, OTHER_KEY}
                assert await listed(s3) == {OTHER_KEY}
