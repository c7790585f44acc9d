from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chainkeep.blobs.adapter import StorageClientBlobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.errors import BlobError, TransientBlobError
from tests.blobs.contract import KEY, OTHER_KEY, listed, put, read


class DictClient:
    """A storage client as somebody might have written it."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes | str, str, str | None]] = {}
        self.works = True
        self.raises: BaseException | None = None
        self.closed = False

    async def upload_file(
        self,
        object_key: str,
        data: bytes | str,
        mime: str = "application/octet-stream",
        overwrite: bool = True,
        content_disposition: str | None = None,
    ) -> dict[str, Any]:
        self._fail()
        assert overwrite
        if not self.works:
            return {}
        self.files[object_key] = (data, mime, content_disposition)
        return {"object_key": object_key, "url": f"https://files.example.com/{object_key}"}

    async def delete_file(self, object_key: str) -> bool:
        self._fail()
        return self.works and bool(self.files.pop(object_key, None))

    async def get_read_url(self, object_key: str) -> str:
        self._fail()
        return f"https://files.example.com/{object_key}?signed" if self.works else object_key

    async def close(self) -> None:
        self._fail()
        self.closed = True

    def _fail(self) -> None:
        if self.raises is not None:
            raise self.raises


@pytest.fixture
def client() -> DictClient:
    return DictClient()


@pytest.fixture
def blobs(client: DictClient) -> StorageClientBlobs:
    return StorageClientBlobs(client)


async def test_the_client_is_handed_the_bytes_with_type_and_name(
    client: DictClient, blobs: StorageClientBlobs
) -> None:
    await blobs.put(KEY, b"bytes", content_type="text/plain", disposition="inline")

    assert client.files == {KEY: (b"bytes", "text/plain", "inline")}


async def test_the_client_is_handed_the_bytes_of_a_file(
    client: DictClient, blobs: StorageClientBlobs, tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"bytes")
    await put(blobs, tmp_path / "source")

    assert client.files[KEY][0] == b"bytes"


async def test_a_file_that_vanished_is_an_error(blobs: StorageClientBlobs, tmp_path: Path) -> None:
    with pytest.raises(BlobError, match="vanished"):
        await put(blobs, tmp_path / "vanished")


async def test_an_empty_answer_to_an_upload_is_an_error(
    client: DictClient, blobs: StorageClientBlobs
) -> None:
    client.works = False

    with pytest.raises(TransientBlobError, match=KEY):
        await put(blobs, b"bytes")


async def test_whatever_the_client_raises_is_an_error_of_ours(
    client: DictClient, blobs: StorageClientBlobs
) -> None:
    client.raises = KeyError("something inside")

    with pytest.raises(TransientBlobError, match="KeyError") as failed:
        await put(blobs, b"bytes")

    assert failed.value.__cause__ is client.raises


async def test_a_browser_is_sent_to_the_clients_url(blobs: StorageClientBlobs) -> None:
    url = await blobs.url(KEY, content_type="text/plain")

    assert url == f"https://files.example.com/{KEY}?signed"


async def test_a_url_that_is_only_the_key_is_an_error(
    client: DictClient, blobs: StorageClientBlobs
) -> None:
    client.works = False

    with pytest.raises(TransientBlobError):
        await blobs.url(KEY, content_type="text/plain")


async def test_the_server_fetches_no_url_itself(blobs: StorageClientBlobs) -> None:
    await put(blobs, b"bytes")

    with pytest.raises(BlobError, match="URL"):
        await read(blobs)
    with pytest.raises(BlobError, match="URL"):
        await blobs.info(KEY)
    with pytest.raises(BlobError, match="list"):
        await listed(blobs)


async def test_blobs_are_deleted(client: DictClient, blobs: StorageClientBlobs) -> None:
    await put(blobs, b"one")
    await put(blobs, b"two", OTHER_KEY)
    await blobs.delete([KEY, OTHER_KEY])

    assert client.files == {}


async def test_what_the_client_did_not_delete_is_named(blobs: StorageClientBlobs) -> None:
    await put(blobs, b"one")

    with pytest.raises(TransientBlobError) as failed:
        await blobs.delete([KEY, OTHER_KEY])

    assert OTHER_KEY in str(failed.value)
    assert KEY not in str(failed.value)


async def test_the_client_is_closed(client: DictClient, blobs: StorageClientBlobs) -> None:
    await blobs.close()

    assert client.closed


async def test_a_client_that_cannot_be_closed_is_logged(
    client: DictClient, blobs: StorageClientBlobs, caplog: pytest.LogCaptureFixture
) -> None:
    client.raises = TypeError("object NoneType can't be used in 'await' expression")
    await blobs.close()

    assert "TypeError" in caplog.text


async def test_an_outbox_before_it_keeps_what_the_client_would_lose(
    client: DictClient, blobs: StorageClientBlobs, tmp_path: Path
) -> None:
    client.works = False
    box = Outbox(blobs, tmp_path / "spool", first_pause=0.01)
    await put(box, b"bytes")
    assert await read(box) == b"bytes"
    client.works = True

    assert await box.drain(20)
    assert client.files[KEY][0] == b"bytes"
    await box.close()
