"""A storage client of Chainlit's kind as a blob store."""

from __future__ import annotations

import logging
from asyncio import gather, to_thread
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from typing import Any, Protocol, TypeVar

from chainkeep.blobs import BlobInfo, BlobSource
from chainkeep.blobs.files import disk_errors
from chainkeep.errors import BlobError, TransientBlobError, UnreadableBlobsError

__all__ = ["StorageClient", "StorageClientBlobs"]

logger = logging.getLogger("chainkeep.blobs")

Result = TypeVar("Result")


class StorageClient(Protocol):
    """Chainlit's ``BaseStorageClient``, by its shape."""

    async def upload_file(
        self,
        object_key: str,
        data: bytes | str,
        mime: str = "application/octet-stream",
        overwrite: bool = True,
        content_disposition: str | None = None,
    ) -> dict[str, Any]: ...

    async def delete_file(self, object_key: str) -> bool: ...

    async def get_read_url(self, object_key: str) -> str: ...

    async def close(self) -> None: ...


class StorageClientBlobs:
    """For those who have a client, for Google's or Azure's storage say, and wish to keep it.

    Such a client takes bytes, so a file is read into memory whole. It cannot be read from:
    ``info``, ``stream`` and ``keys`` raise ``BlobError``, and a browser is sent to ``url``. It
    reports failure without a reason, so every failure counts as one that may pass.
    """

    def __init__(self, client: StorageClient) -> None:
        self._client = client

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        with disk_errors(f"store blob {key}"):
            data = source if isinstance(source, bytes) else await to_thread(source.read_bytes)
        answer = await _asked(
            f"store blob {key}",
            self._client.upload_file(
                object_key=key,
                data=data,
                mime=content_type,
                overwrite=True,
                content_disposition=disposition,
            ),
        )
        if not answer:
            raise TransientBlobError(f"The storage client did not store blob {key}; see its log.")

    async def info(self, key: str) -> BlobInfo:
        raise _unreadable(key)

    def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        del start, end
        raise _unreadable(key)

    async def delete(self, keys: Sequence[str]) -> None:
        remaining = [key for key in keys if not await self._deleted(key)]
        if remaining:
            raise TransientBlobError(
                f"The storage client did not delete blobs {', '.join(remaining)}; see its log."
            )

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """The client's own URL; type and disposition are those the blob was stored with."""
        del content_type, disposition
        url = await _asked(f"sign the URL of blob {key}", self._client.get_read_url(key))
        if not url or url == key:
            raise TransientBlobError(f"The storage client signed no URL for {key}; see its log.")
        return url

    def keys(self) -> AsyncIterator[str]:
        raise BlobError("A storage client cannot list its blobs; use LocalBlobs or S3Blobs.")

    async def close(self) -> None:
        """Close the client. One that fails to is logged: nothing is left to be done about it."""
        try:
            await _asked("close", self._client.close())
        except TransientBlobError as error:
            logger.warning("%s", error)

    async def _deleted(self, key: str) -> bool:
        return await _asked(f"delete blob {key}", self._client.delete_file(key))


async def _asked(action: str, answer: Awaitable[Result]) -> Result:
    # Somebody else's code, which may raise anything: gather hands the error over as a value.
    (result,) = await gather(answer, return_exceptions=True)
    if isinstance(result, BaseException):
        raise TransientBlobError(
            f"The storage client cannot {action}: {type(result).__name__}."
        ) from result
    return result


def _unreadable(key: str) -> UnreadableBlobsError:
    return UnreadableBlobsError(
        f"Blob {key} can only be read by its URL: the storage client has no other way."
    )
