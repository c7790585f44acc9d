"""Blobs on local disk that have yet to reach the store they are meant for.

Every process has a directory of its own below the spool's, and holds a lock on it as long as it
lives; the kernel lets go of the lock however the process ends. A directory whose lock is free
belongs to nobody, and whoever opens the spool next takes it over, entries and all. So no process
ever touches an entry of another that lives, and no entry waits for a process that is dead.

An entry is two files: its bytes, ``….blob``, and what is known of them, ``….json``. The second is
written last, whole, and makes the entry valid.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from chainkeep.blobs import BlobSource
from chainkeep.blobs.files import disk_errors, make_directory, sync_directory, write_file

__all__ = ["Entry", "Spool"]

logger = logging.getLogger("chainkeep.blobs")

_TORN = "torn"
_NANOSECONDS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A blob in the spool. Its files never change."""

    path: Path
    """Where the bytes are; named by when they came, so that the order of names is that of time."""
    key: str
    size: int
    content_type: str
    disposition: str | None

    @property
    def name(self) -> str:
        """Unlike any other entry's."""
        return self.path.stem

    @property
    def secured_at(self) -> float:
        """Seconds since the epoch."""
        return int(self.name) / _NANOSECONDS

    @property
    def sidecar(self) -> Path:
        return self.path.with_suffix(".json")


class Spool:
    """The entries of this process. Everything here blocks; worker threads call it."""

    def __init__(self, directory: Path, *, link: bool) -> None:
        self._root = directory.absolute()
        self._own = self._root / uuid4().hex
        self._link = link
        self._locks: dict[Path, int] = {}
        self._last = 0

    def open(self) -> list[Entry]:
        """Take a directory, and those of the dead; their entries, oldest first."""
        with disk_errors(f"open the spool {self._root}"), ExitStack() as undo:
            undo.callback(self._unlock)
            self._take_what_is_free()
            entries = [entry for directory in self._locks for entry in self._load(directory)]
            undo.pop_all()
        return sorted(entries, key=lambda entry: entry.name)

    def next_name(self) -> str:
        """A name for an entry, later than all before. To be called in one thread."""
        self._last = max(time.time_ns(), self._last + 1)
        return f"{self._last:020d}"

    def secure(
        self, name: str, key: str, source: BlobSource, content_type: str, disposition: str | None
    ) -> Entry:
        """Take a blob in. When this returns it survives the process and a power failure."""
        path = self._own / f"{name}.blob"
        with disk_errors(f"keep blob {key} in the spool"), ExitStack() as undo:
            undo.callback(path.unlink, missing_ok=True)
            undo.callback(path.with_suffix(".part").unlink, missing_ok=True)
            size = self._bring(source, path)
            entry = Entry(
                path=path, key=key, size=size, content_type=content_type, disposition=disposition
            )
            self._validate(entry)
            undo.pop_all()
        return entry

    def discard(self, entry: Entry) -> None:
        """Remove an entry; it does not come back, not after a power failure either."""
        with disk_errors(f"remove blob {entry.key} from the spool"):
            # In this order: a sidecar alone says that all is done, bytes alone that it broke.
            entry.path.unlink(missing_ok=True)
            entry.sidecar.unlink(missing_ok=True)
            sync_directory(entry.path.parent)

    def close(self) -> None:
        """Let go of the directories; what is in them waits for whoever opens the spool next."""
        if not self._locks:
            return
        with disk_errors(f"close the spool {self._root}"), _locked(self._root / "lock"):
            for directory in self._locks:
                _remove_if_empty(directory)
            self._unlock()

    def _bring(self, source: BlobSource, path: Path) -> int:
        if self._link and isinstance(source, Path):
            # Across file systems, or where linking is not allowed, it is copied after all.
            with suppress(OSError):
                path.hardlink_to(source.resolve())
                return _sync(path)
        return write_file(path, source)

    @staticmethod
    def _validate(entry: Entry) -> None:
        """Write the sidecar: the moment from which the entry counts."""
        known = {name: value for name, value in asdict(entry).items() if name != "path"}
        draft = entry.path.with_suffix(".part")
        write_file(draft, json.dumps(known).encode())
        draft.replace(entry.sidecar)
        sync_directory(entry.path.parent)

    def _take_what_is_free(self) -> None:
        make_directory(self._root / _TORN)
        with _locked(self._root / "lock"):
            make_directory(self._own)
            for path in self._root.iterdir():
                if path.is_dir() and path.name != _TORN:
                    self._take(path)

    def _take(self, directory: Path) -> None:
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            self._locks[directory] = descriptor

    def _unlock(self) -> None:
        while self._locks:
            os.close(self._locks.popitem()[1])

    def _load(self, directory: Path) -> Iterator[Entry]:
        for sidecar in sorted(directory.glob("*.json")):
            entry = _read(sidecar)
            if entry is None:
                self._set_aside(sidecar)
            elif entry.path.exists():
                yield entry
            else:
                sidecar.unlink()
        for orphan in [path for path in directory.iterdir() if _is_orphan(path)]:
            self._set_aside(orphan)

    def _set_aside(self, path: Path) -> None:
        aside = self._root / _TORN / f"{path.parent.name}-{path.name}"
        path.replace(aside)
        logger.warning("An incomplete file of the blob spool was set aside: %s", aside)


def _read(sidecar: Path) -> Entry | None:
    """The entry, or None where the sidecar or the bytes are not what was written."""
    path = sidecar.with_suffix(".blob")
    try:
        entry = Entry(path=path, **json.loads(sidecar.read_bytes()))
    except (ValueError, TypeError):
        return None
    whole = not path.exists() or path.stat().st_size == entry.size
    return entry if whole and entry.name.isdecimal() else None


def _is_orphan(path: Path) -> bool:
    return path.suffix == ".part" or (
        path.suffix == ".blob" and not path.with_suffix(".json").exists()
    )


def _remove_if_empty(directory: Path) -> None:
    if [path.name for path in directory.iterdir()] == ["lock"]:
        (directory / "lock").unlink()
        directory.rmdir()


def _sync(path: Path) -> int:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
