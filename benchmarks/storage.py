"""Attachments on local disk for the candidates that bring no such storage."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from chainlit.data.storage_clients.base import BaseStorageClient
from typing_extensions import override

__all__ = ["Directory"]


class Directory(BaseStorageClient):
    """A file for each object, synced to disk before ``upload_file`` returns."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @override
    async def upload_file(
        self,
        object_key: str,
        data: bytes | str,
        mime: str = "application/octet-stream",
        overwrite: bool = True,
        content_disposition: str | None = None,
    ) -> dict[str, Any]:
        del mime, overwrite, content_disposition
        content = data.encode() if isinstance(data, str) else data
        await asyncio.to_thread(_write, self._directory / object_key, content)
        return {"object_key": object_key, "url": f"/files/{object_key}"}

    @override
    async def delete_file(self, object_key: str) -> bool:
        await asyncio.to_thread((self._directory / object_key).unlink, missing_ok=True)
        return True

    @override
    async def get_read_url(self, object_key: str) -> str:
        return f"/files/{object_key}"

    @override
    async def close(self) -> None:
        pass


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
