"""An element that is read a moment before its bytes are there."""

from __future__ import annotations

import pytest
from chainlit.types import ThreadDict
from starlette.requests import Request
from typing_extensions import override

from chainkeep.blobs import BlobInfo
from chainkeep.chainlit import route
from chainkeep.presentation import ElementBlob
from tests.store.blobs import MemoryBlobs

KEY = "element"


class BlobsOfAnother(MemoryBlobs):
    """Blobs that another process writes: this one is there when it is asked for again."""

    @override
    async def info(self, key: str) -> BlobInfo:
        try:
            return await super().info(key)
        finally:
            self.content[key] = b"the bytes"


class OneElement:
    """A layer that anyone may read."""

    def __init__(self) -> None:
        self.blobs = BlobsOfAnother()

    async def get_thread_author(self, thread_id: str) -> str:
        return thread_id

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        del thread_id
        return None

    async def element_blob(self, thread_id: str, element_id: str) -> ElementBlob | None:
        del thread_id, element_id
        return ElementBlob(key=KEY, name="a", type="file", mime=None, display="inline")


def request() -> Request:
    query = b"thread=t&id=e"
    return Request(
        {"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": []}
    )


async def test_who_reads_an_element_waits_for_bytes_that_another_process_brings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer = OneElement()
    monkeypatch.setattr(route, "_find_layer", lambda: layer)

    async def allowed(*_: object) -> None:
        pass

    monkeypatch.setattr(route, "_authorize", allowed)
    response = await route.serve_element(request())
    assert (response.status_code, layer.blobs.content) == (200, {KEY: b"the bytes"})
