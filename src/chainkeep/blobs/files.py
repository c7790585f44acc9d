"""Files that are on disk once they are written, and their reading in pieces."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from chainkeep.blobs import BlobSource
from chainkeep.blobs.workers import Workers
from chainkeep.errors import BlobError, TransientBlobError

__all__ = [
    "PIECE_SIZE",
    "disk_errors",
    "make_directory",
    "read_pieces",
    "sync_directory",
    "write_file",
]

PIECE_SIZE = 256 * 1024

# A full disk is emptied, an open file closed, a network disk mounted again.
_MAY_PASS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOSPC,
    errno.ESTALE,
    errno.ETIMEDOUT,
}


@contextmanager
def disk_errors(action: str) -> Iterator[None]:
    """Turns the disk's errors into ours: ``Cannot {action}: No space left on device``."""
    try:
        yield
    except OSError as error:
        kind = TransientBlobError if error.errno in _MAY_PASS else BlobError
        raise kind(f"Cannot {action}: {error}") from error


def write_file(path: Path, source: BlobSource) -> int:
    """Make a new file, mode 0600, of what the source holds; its size, once all of it is on disk."""
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        _copy(source, file)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def _copy(source: BlobSource, file: BinaryIO) -> None:
    if isinstance(source, bytes):
        file.write(source)
        return
    with source.open("rb") as origin:
        shutil.copyfileobj(origin, file, PIECE_SIZE)


def make_directory(path: Path) -> None:
    """Make a directory, mode 0700, and those above it, on disk before this returns."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Bring a directory's entries to disk; one that is gone has none."""
    with suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


async def read_pieces(
    workers: Workers, file: BinaryIO, start: int, end: int | None
) -> AsyncGenerator[bytes, None]:
    """The bytes ``[start, end)`` of a file, which is closed at the end."""
    with file, disk_errors(f"read {file.name}"):
        position = await workers.run(file.seek, start)
        while piece := await workers.run(file.read, _piece_size(position, end)):
            yield piece
            position += len(piece)


def _piece_size(position: int, end: int | None) -> int:
    return PIECE_SIZE if end is None else min(PIECE_SIZE, max(end - position, 0))
