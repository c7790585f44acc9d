"""Blobs in S3, or in any store that speaks its language. Needs ``chainkeep[s3]``."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import override

from chainkeep.blobs import BlobInfo, BlobSource
from chainkeep.blobs.s3.options import S3Options
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobError, BlobNotFoundError

if TYPE_CHECKING:
    from chainkeep.blobs.s3.bucket import Bucket

__all__ = ["S3Blobs", "S3Options"]

Result = TypeVar("Result")


class S3Blobs(S3Options):
    """A bucket as a blob store, made with the options of ``S3Options``.

    Requests run in threads of its own, ``max_workers`` at a time, and a file is sent from disk part
    by part: the size of a blob does not show in memory. The bucket must exist. Let it expire
    incomplete multipart uploads after a day: a process that is killed leaves them behind.

    Besides ``Blobs`` it has the methods of Chainlit's ``BaseStorageClient``, for other data layers
    to use. Unlike Chainlit's own clients these raise where they fail.
    """

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if importlib.util.find_spec("boto3") is None:
            raise BlobError("S3 needs boto3: pip install 'chainkeep[s3]'")
        self._workers = Workers("s3", self.max_workers)
        self._opening = Lock()
        self._opened: Bucket | None = None

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        await self._call(lambda bucket: bucket.put(key, source, content_type, disposition))

    async def info(self, key: str) -> BlobInfo:
        return await self._call(lambda bucket: bucket.info(key))

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        body = await self._call(lambda bucket: bucket.open(key, start, end))
        try:
            while piece := await self._call(lambda bucket: bucket.read(body, key)):
                yield piece
        finally:
            # In a thread, since it waits for a reading that was abandoned. A closed store has none.
            with suppress(BlobError):
                await self._workers.run(body.close)

    async def delete(self, keys: Sequence[str]) -> None:
        await self._call(lambda bucket: bucket.delete(keys))

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        return await self._call(lambda bucket: bucket.sign(key, content_type, disposition))

    async def keys(self) -> AsyncIterator[str]:
        pages = await self._call(lambda bucket: bucket.pages())
        while (page := await self._workers.run(next, pages, None)) is not None:
            for key in page:
                yield key

    async def close(self) -> None:
        self._workers.close()
        if self._opened is not None:
            self._opened.close()

    async def upload_file(
        self,
        object_key: str,
        data: bytes | str,
        mime: str = "application/octet-stream",
        overwrite: bool = True,
        content_disposition: str | None = None,
    ) -> dict[str, Any]:
        """Store a blob; ``{"object_key": …, "url": a signed URL}``.

        ``BlobError`` where it must not be overwritten and is there.
        """
        if not overwrite and await self._has(object_key):
            raise BlobError(f"There is a blob {object_key} already; delete it first.")
        content = data.encode() if isinstance(data, str) else data
        await self.put(object_key, content, content_type=mime, disposition=content_disposition)
        return {"object_key": object_key, "url": await self.get_read_url(object_key)}

    async def delete_file(self, object_key: str) -> bool:
        """Remove a blob; True, also where there was none."""
        await self.delete([object_key])
        return True

    async def get_read_url(self, object_key: str) -> str:
        """A signed URL under which the blob has the type and disposition it was stored with."""
        return await self._call(lambda bucket: bucket.sign(object_key, None, None))

    async def _has(self, key: str) -> bool:
        try:
            await self.info(key)
        except BlobNotFoundError:
            return False
        return True

    async def _call(self, ask: Callable[[Bucket], Result]) -> Result:
        return await self._workers.run(lambda: ask(self._bucket()))

    def _bucket(self) -> Bucket:
        """Called in a worker thread: the first call loads boto3."""
        from chainkeep.blobs.s3.bucket import Bucket  # noqa: PLC0415

        with self._opening:
            if self._opened is None:
                self._opened = Bucket(self)
            return self._opened
