"""Writes that the database could not take, on local disk until it can.

A journal is a directory with one file for each process that has something to keep. A file is locked
for as long as its process lives, so a file that can be locked was left behind, and belongs to
whoever locks it. A line is one write: a checksum, a space, and JSON. A line that a crash cut short
was never acknowledged, and is passed over.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chainkeep.errors import JournalFullError, StorageError

__all__ = ["Journal", "JournalFile", "Record"]

logger = logging.getLogger("chainkeep.journal")

_SUFFIX = ".journal"
_DEFAULT_LIMIT = 256 * 1024 * 1024


class Record(NamedTuple):
    """A write in a file."""

    end: int
    """Where the next one begins, in bytes from the start of the file."""
    text: str


class JournalFile:
    """A file of the journal, locked by this process."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; ``BlockingIOError`` where a living process has it."""
        self.path = path
        self._handle = open(path, "a+b", buffering=0, opener=_private)  # noqa: SIM115 - held for life
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._handle.close()
            raise
        self.size = os.fstat(self._handle.fileno()).st_size
        """In bytes; known without the file, for it may be closed while somebody asks."""

    @property
    def id(self) -> str:
        """Names the file in the database, where it stands how far it was replayed."""
        return self.path.stem

    def append(self, texts: Sequence[str]) -> None:
        """Add writes, all or none; they are on disk when this returns."""
        data = b"".join(map(_line, texts))
        try:
            _write_all(self._handle.fileno(), data)
            os.fsync(self._handle.fileno())
        except OSError as exc:
            os.ftruncate(self._handle.fileno(), self.size)
            raise StorageError(
                f"The journal {self.path} cannot be written: {exc.strerror}."
            ) from exc
        self.size += len(data)

    def read(self, start: int, most: int) -> list[Record]:
        """At most ``most`` writes from byte ``start`` on; none at the end, or where the rest is
        torn.
        """
        self._handle.seek(start)
        with os.fdopen(os.dup(self._handle.fileno()), "rb") as lines:
            return list(_records(lines, start, most))

    def set_aside(self, text: str) -> None:
        """Keep a write that the database refuses, beside the file, for somebody to look at."""
        with open(self.path.with_suffix(".refused"), "ab", opener=_private) as refused:
            refused.write(_line(text))
            refused.flush()
            os.fsync(refused.fileno())

    def finish(self, end: int) -> None:
        """Delete the file, for all of it is replayed, and let go of it.

        If behind ``end`` there is more than a line that a crash cut short, it was damaged, and is
        left beside the journal for somebody to look at.
        """
        self._handle.seek(end)
        if b"\n" in (self._handle.read() or b""):
            logger.error("%s is damaged behind byte %d and set aside.", self.path, end)
            self.path.replace(self.path.with_suffix(".torn"))
        else:
            self.path.unlink(missing_ok=True)
        # Were the file there again after a power cut, it would be replayed again.
        _sync_directory(self.path.parent)
        self._handle.close()

    def close(self, *, remove: bool) -> None:
        """Let go of the file, and delete it where nothing was ever in it; else it is left to
        whoever locks it next.
        """
        if remove:
            self.path.unlink(missing_ok=True)
        self._handle.close()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(text: str) -> bytes:
    data = text.encode()
    return b"%08x %b\n" % (zlib.crc32(data), data)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _records(lines: Iterator[bytes], start: int, most: int) -> Iterator[Record]:
    end = start
    for line, _ in zip(lines, range(most), strict=False):
        checksum, _, data = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(data):
            return
        end += len(line)
        yield Record(end, data.decode())


class Journal:
    """The directory: this process's file, made when it is needed, and those left behind."""

    def __init__(self, directory: Path, *, limit: int = _DEFAULT_LIMIT) -> None:
        self._directory = directory
        self._limit = limit
        self._own: JournalFile | None = None

    @property
    def own(self) -> JournalFile | None:
        """This process's file, if it has one."""
        return self._own

    @property
    def size(self) -> int:
        """What this process keeps, in bytes."""
        own = self._own
        return own.size if own else 0

    def append(self, texts: Sequence[str]) -> None:
        """Keep writes, all or none; ``JournalFullError`` at the limit."""
        if self.size + sum(map(len, texts)) > self._limit:
            raise JournalFullError
        if self._own is None:
            self._own = self._new_file()
        self._own.append(texts)

    def finish_own(self, end: int) -> None:
        """This process's file is replayed to its ``end``: the next write begins another."""
        # First out of sight: this runs in a thread, and others look at the file's size.
        own, self._own = self._own, None
        if own is not None:
            own.finish(end)

    def take_over(self) -> list[JournalFile]:
        """Lock the files that dead processes left behind, oldest first, for the caller."""
        found = (self._lock(path) for path in self.paths() if not self._is_own(path))
        return [file for file in found if file is not None]

    def paths(self) -> list[Path]:
        """Every file there is, oldest first."""
        if not self._directory.is_dir():
            return []
        return sorted(self._directory.glob(f"*{_SUFFIX}"))

    def close(self) -> None:
        """Let go of this process's file; what is in it is taken over by the next process."""
        own, self._own = self._own, None
        if own is not None:
            own.close(remove=own.size == 0)

    def _new_file(self) -> JournalFile:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The names sort by age, also where the clock was set back.
            age = max([time.time_ns(), *(_age(path) + 1 for path in self.paths())])
            name = f"{age:016x}-{uuid.uuid4().hex}{_SUFFIX}"
            file = JournalFile(self._directory / name)
            _sync_directory(self._directory)
        except OSError as exc:
            raise StorageError(
                f"The journal {self._directory} cannot be written: {exc.strerror}."
            ) from exc
        return file

    def _is_own(self, path: Path) -> bool:
        return self._own is not None and path == self._own.path

    def _lock(self, path: Path) -> JournalFile | None:
        try:
            file = JournalFile(path)
        except BlockingIOError:
            return None
        except OSError as exc:
            logger.log(logging.ERROR, "%s stays where it is, unread: %s.", path, exc.strerror)
            return None
        if path.exists():
            return file
        # Replayed and deleted by another process between the listing and the lock.
        file.close(remove=True)
        return None


def _age(path: Path) -> int:
    """The time in a file's name, in nanoseconds; 0 for a name that is not ours."""
    digits = path.name.partition("-")[0]
    return int(digits, 16) if re.fullmatch("[0-9a-f]{16}", digits) else 0


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
