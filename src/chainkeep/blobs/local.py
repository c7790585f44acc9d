"""Blobs as files on the local disk."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from chainkeep.blobs import BlobInfo, BlobSource
from chainkeep.blobs.files import (
    disk_errors,
    make_directory,
    read_pieces,
    sync_directory,
    write_file,
)
from chainkeep.blobs.keys import is_key
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobNotFoundError, InvalidInputError

__all__ = ["LocalBlobs"]

_DAY = 24 * 60 * 60


class LocalBlobs:
    """A directory of blobs, private to the user who runs the app.

    The blob ``abcd…/1234…`` is the file ``ab/abcd…/1234…``. Any number of processes may share the
    directory. A blob is on disk, with its name, when ``put`` returns, and survives a power failure.
    """

    def __init__(self, directory: Path | str, *, max_workers: int = 4) -> None:
        self.directory = Path(directory).absolute()
        self._incoming = self.directory / ".incoming"
        self._swept = False
        self._workers = Workers("files", max_workers)

    async def put(
        self, key: str, source: BlobSource, *, content_type: str, disposition: str | None = None
    ) -> None:
        """Store a blob. Type and disposition are not kept: they are sent when the blob is read."""
        del content_type, disposition
        if not is_key(key):
            raise InvalidInputError(f"{key!r} is no blob key; make one with blobs.keys.")
        await self._workers.run(self._store, key, source)

    async def info(self, key: str) -> BlobInfo:
        return await self._workers.run(self._look_up, key)

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes as they were when the reading began, though the blob be replaced meanwhile."""
        file = await self._workers.run(self._open, key)
        async for piece in read_pieces(self._workers, file, start, end):
            yield piece

    async def delete(self, keys: Sequence[str]) -> None:
        await self._workers.run(self._remove, [key for key in keys if is_key(key)])

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        """None: a browser reads local blobs from the app."""
        del key, content_type, disposition
        return None

    async def keys(self) -> AsyncIterator[str]:
        for shard in await self._workers.run(self._shards):
            for key in await self._workers.run(self._keys_in, shard):
                yield key

    async def close(self) -> None:
        self._workers.close()

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise BlobNotFoundError(f"There is no blob {key!r}: this is not the form of a key.")
        return self.directory / key[:2] / key

    def _store(self, key: str, source: BlobSource) -> None:
        arriving = self._incoming / uuid4().hex
        with disk_errors(f"store blob {key}"):
            self._sweep()
            try:
                write_file(arriving, source)
                while not self._publish(arriving, self._path(key)):
                    pass
            finally:
                arriving.unlink(missing_ok=True)

    @staticmethod
    def _publish(arriving: Path, path: Path) -> bool:
        """False where a deletion removed the emptied directory in between: then once more."""
        try:
            make_directory(path.parent)
            arriving.replace(path)
        except FileNotFoundError:
            if arriving.exists():
                return False
            raise
        sync_directory(path.parent)
        return True

    def _sweep(self) -> None:
        """Once per store: remove what a process left behind that died while it wrote."""
        if self._swept:
            return
        make_directory(self._incoming)
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _DAY:
                    path.unlink()
        self._swept = True

    def _look_up(self, key: str) -> BlobInfo:
        status = self._stat(key)
        etag = f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"
        return BlobInfo(size=status.st_size, etag=etag)

    def _stat(self, key: str) -> os.stat_result:
        with disk_errors(f"look up blob {key}"):
            try:
                status = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError) as error:
                raise BlobNotFoundError(f"There is no blob {key}.") from error
        if not stat.S_ISREG(status.st_mode):
            raise BlobNotFoundError(f"There is no blob {key}.")
        return status

    def _open(self, key: str) -> BinaryIO:
        self._stat(key)
        with disk_errors(f"read blob {key}"):
            try:
                return self._path(key).open("rb")
            except FileNotFoundError as error:
                raise BlobNotFoundError(f"There is no blob {key}.") from error

    def _remove(self, keys: Sequence[str]) -> None:
        faults = {key: fault for key in keys if (fault := self._unlink(key))}
        for directory in {self._path(key).parent for key in keys}:
            self._tidy(directory)
        if faults:
            with disk_errors(f"delete blobs {', '.join(faults)}"):
                raise next(iter(faults.values()))

    def _unlink(self, key: str) -> OSError | None:
        try:
            self._path(key).unlink(missing_ok=True)
        except NotADirectoryError:
            return None
        except OSError as error:
            return error
        return None

    @staticmethod
    def _tidy(directory: Path) -> None:
        with suppress(OSError):
            directory.rmdir()
            sync_directory(directory.parent)
        with disk_errors("delete blobs"):
            sync_directory(directory)

    def _shards(self) -> list[Path]:
        with disk_errors("list blobs"), suppress(FileNotFoundError):
            return [path for path in self.directory.iterdir() if is_key(path.name)]
        return []

    @staticmethod
    def _keys_in(shard: Path) -> list[str]:
        with disk_errors("list blobs"):
            paths = (Path(top, name) for top, _, names in os.walk(shard) for name in names)
            keys = (path.relative_to(shard).as_posix() for path in paths)
            return [key for key in keys if is_key(key)]
