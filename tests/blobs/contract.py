"""What every blob store promises, as tests: subclasses give the store as the fixture ``blobs``."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from chainkeep.blobs import Blobs, BlobSource
from chainkeep.blobs.keys import element_key
from chainkeep.errors import BlobNotFoundError

KEY, OTHER_KEY = element_key("thread", "element"), element_key("thread", "other")
PIECE = 256 * 1024


async def put(blobs: Blobs, source: BlobSource, key: str = KEY) -> None:
    await blobs.put(key, source, content_type="text/plain")


async def read(blobs: Blobs, key: str = KEY, *, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.stream(key, start=start, end=end)])


async def listed(blobs: Blobs) -> set[str]:
    keys = blobs.keys()
    return {key async for key in keys}


async def signed(blobs: Blobs, key: str = KEY, *, disposition: str | None = None) -> str:
    url = await blobs.url(key, content_type="text/plain", disposition=disposition)
    assert url is not None
    return url


async def fetch(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(url)


class BlobsContract:
    """Reading, replacing, deleting, listing; what is there no more; several at a time."""

    async def test_a_blob_comes_back_as_it_was_put(self, blobs: Blobs) -> None:
        await put(blobs, b"\x00\xffbytes")

        assert await read(blobs) == b"\x00\xffbytes"

    async def test_an_empty_blob_is_a_blob(self, blobs: Blobs) -> None:
        await put(blobs, b"")

        assert await read(blobs) == b""
        assert (await blobs.info(KEY)).size == 0

    async def test_a_file_comes_back_as_it_was_put(self, blobs: Blobs, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.write_bytes(bytes(range(256)) * 1025)

        await put(blobs, source)

        assert await read(blobs) == source.read_bytes()

    async def test_a_file_that_was_put_is_left_where_it_was(
        self, blobs: Blobs, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        source.write_bytes(b"mine")

        await put(blobs, source)
        await blobs.delete([KEY])

        assert source.read_bytes() == b"mine"

    async def test_a_large_blob_comes_in_bounded_pieces(self, blobs: Blobs) -> None:
        await put(blobs, b"x" * (3 * PIECE + 1))

        sizes = [len(piece) async for piece in blobs.stream(KEY)]

        assert sum(sizes) == 3 * PIECE + 1
        assert max(sizes) <= PIECE

    async def test_a_blob_replaces_the_one_before(self, blobs: Blobs) -> None:
        await put(blobs, b"first and longer")
        await put(blobs, b"second")

        assert await read(blobs) == b"second"

    async def test_the_size_is_known_without_reading(self, blobs: Blobs) -> None:
        await put(blobs, b"12345")

        assert (await blobs.info(KEY)).size == 5

    async def test_the_etag_stays_while_the_bytes_do(self, blobs: Blobs) -> None:
        await put(blobs, b"same")

        assert await blobs.info(KEY) == await blobs.info(KEY)

    async def test_the_etag_changes_with_the_bytes(self, blobs: Blobs) -> None:
        await put(blobs, b"one")
        before = await blobs.info(KEY)
        await put(blobs, b"two")

        assert (await blobs.info(KEY)).etag != before.etag

    async def test_the_etag_has_no_quotes(self, blobs: Blobs) -> None:
        await put(blobs, b"bytes")

        assert '"' not in (await blobs.info(KEY)).etag

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (0, 1, b"0"),
            (3, 7, b"3456"),
            (9, None, b"9"),
            (5, 100, b"56789"),
            (10, None, b""),
            (10, 20, b""),
            (100, None, b""),
            (4, 4, b""),
            (4, 2, b""),
        ],
    )
    async def test_a_range_is_the_bytes_from_start_up_to_end(
        self, blobs: Blobs, start: int, end: int | None, expected: bytes
    ) -> None:
        await put(blobs, b"0123456789")

        assert await read(blobs, start=start, end=end) == expected

    async def test_a_range_may_span_pieces(self, blobs: Blobs) -> None:
        content = bytes(range(256)) * (4 * PIECE // 256)
        await put(blobs, content)

        assert await read(blobs, start=7, end=3 * PIECE + 7) == content[7 : 3 * PIECE + 7]

    async def test_a_reading_may_be_given_up(self, blobs: Blobs) -> None:
        await put(blobs, b"x" * (4 * PIECE))

        async with aclosing(blobs.stream(KEY)) as pieces:
            await anext(pieces)

        assert len(await read(blobs)) == 4 * PIECE

    async def test_what_is_not_there_has_no_size(self, blobs: Blobs) -> None:
        with pytest.raises(BlobNotFoundError):
            await blobs.info(KEY)

    async def test_what_is_not_there_cannot_be_read(self, blobs: Blobs) -> None:
        with pytest.raises(BlobNotFoundError):
            await read(blobs)

    @pytest.mark.parametrize(("start", "end"), [(0, 0), (5, None), (2, 3)])
    async def test_not_a_range_of_it_either(
        self, blobs: Blobs, start: int, end: int | None
    ) -> None:
        with pytest.raises(BlobNotFoundError):
            await read(blobs, start=start, end=end)

    async def test_a_deleted_blob_is_gone(self, blobs: Blobs) -> None:
        await put(blobs, b"bytes")
        await blobs.delete([KEY])

        with pytest.raises(BlobNotFoundError):
            await blobs.info(KEY)

    async def test_other_blobs_of_the_thread_stay(self, blobs: Blobs) -> None:
        await put(blobs, b"bytes")
        await put(blobs, b"others", OTHER_KEY)
        await blobs.delete([KEY])

        assert await read(blobs, OTHER_KEY) == b"others"

    async def test_deleting_what_is_not_there_is_no_error(self, blobs: Blobs) -> None:
        await blobs.delete([KEY])
        await blobs.delete([KEY, OTHER_KEY])

        assert await listed(blobs) == set()

    async def test_deleting_nothing_is_no_error(self, blobs: Blobs) -> None:
        await put(blobs, b"bytes")
        await blobs.delete([])

        assert await listed(blobs) == {KEY}

    async def test_many_blobs_go_at_once(self, blobs: Blobs) -> None:
        keys = [element_key("thread", str(number)) for number in range(20)]
        await asyncio.gather(*(put(blobs, b"x", key) for key in keys))

        await blobs.delete([*keys, element_key("thread", "never there")])

        assert await listed(blobs) == set()

    async def test_a_deleted_blob_may_be_put_again(self, blobs: Blobs) -> None:
        await put(blobs, b"first")
        await blobs.delete([KEY])
        await put(blobs, b"again")

        assert await read(blobs) == b"again"

    async def test_every_key_is_listed(self, blobs: Blobs) -> None:
        await put(blobs, b"one")
        await put(blobs, b"two", OTHER_KEY)
        await put(blobs, b"three", element_key("another thread", "element"))

        assert await listed(blobs) == {KEY, OTHER_KEY, element_key("another thread", "element")}

    async def test_an_empty_store_lists_nothing(self, blobs: Blobs) -> None:
        assert await listed(blobs) == set()

    async def test_puts_and_deletions_at_once_get_in_no_others_way(self, blobs: Blobs) -> None:
        keys = [element_key("thread", str(number)) for number in range(12)]
        await asyncio.gather(*(put(blobs, b"x", key) for key in keys[:6]))
        await asyncio.gather(
            *(put(blobs, b"y", key) for key in keys[6:]),
            *(blobs.delete([key]) for key in keys[:6]),
        )

        assert await listed(blobs) == set(keys[6:])

    async def test_closing_twice_is_no_error(self, blobs: Blobs) -> None:
        await put(blobs, b"bytes")
        await blobs.close()
        await blobs.close()


class ConcurrentBlobsContract(BlobsContract):
    """The same, with what moto itself does not stand."""

    async def test_concurrent_puts_of_one_key_leave_one_of_them_whole(self, blobs: Blobs) -> None:
        contents = [bytes([number]) * 50_000 for number in range(8)]
        await asyncio.gather(*(put(blobs, content) for content in contents))

        assert await read(blobs) in contents
