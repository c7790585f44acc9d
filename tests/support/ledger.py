"""What an app was told is kept, and whether it is.

A conversation writes its steps one after the other, each in several versions: made, updated twice,
and every fifth deleted in the end. The app notes each write in a file as soon as it is
acknowledged; what it noted outlives it, however it ends.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

MADE, UPDATED, DELETED = 0, 2, 3
"""Versions of a step; 1 lies between."""


def last_version(number: int) -> int:
    """What a conversation leaves a step as."""
    return DELETED if number % 5 == 0 else UPDATED


class Note(NamedTuple):
    """A write that was acknowledged, or refused."""

    thread_id: str
    number: int
    version: int
    error: str = ""
    """What it was refused with."""


class Ledger:
    """A file of notes, to be written."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, note: Note) -> None:
        """Add a note. It is the kernel's when this returns, and no kill takes it back."""
        os.write(self._file, f"{' '.join(map(str, note)).rstrip()}\n".encode())


def read_notes(path: Path) -> Iterator[Note]:
    """Every note so far, oldest first; none where there is no ledger yet."""
    text = path.read_text("utf-8") if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            thread_id, number, version, *error = line.split()
            yield Note(thread_id, int(number), int(version), *error)


class Kept(NamedTuple):
    """A step as it is read."""

    number: int
    version: int


@dataclass(frozen=True)
class Verdict:
    """How a ledger compares with what is read; all but the first are to be 0."""

    acknowledged: int = 0
    refused: int = 0
    """Writes that failed, and were said to."""
    missing: int = 0
    """Steps that were acknowledged and are not there."""
    stale: int = 0
    """Steps that are there in an older version than was acknowledged."""
    duplicated: int = 0
    """Steps that are there more than once."""
    out_of_order: int = 0
    """Steps read out of their order, or left unfinished although the conversation went on."""

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def flawless(self) -> bool:
        """Whether anything was acknowledged, and all of it is there, once and in order."""
        return self.acknowledged > 0 and self == Verdict(self.acknowledged)


def judge(notes: Sequence[Note], kept: Mapping[str, Sequence[Kept]]) -> Verdict:
    """Compare notes with the threads as they are read, each in the order of reading."""
    written = [note for note in notes if not note.error]
    acknowledged: dict[tuple[str, int], int] = {}
    for note in written:
        step = (note.thread_id, note.number)
        acknowledged[step] = max(note.version, acknowledged.get(step, MADE))
    there = {
        (thread_id, step.number): step.version for thread_id in kept for step in kept[thread_id]
    }
    verdict = Verdict(
        acknowledged=len(written),
        refused=len(notes) - len(written),
        missing=sum(step not in there for step in acknowledged),
        stale=sum(there.get(step, version) < version for step, version in acknowledged.items()),
    )
    # What was refused leaves a gap, and was said to.
    whole = kept.keys() - {note.thread_id for note in notes if note.error}
    return sum((_order(kept[thread_id]) for thread_id in whole), verdict)


def _order(steps: Sequence[Kept]) -> Verdict:
    """Writes of one thread commit in the order in which they were handed over: only the last step
    may be unfinished, and none may be left out.
    """
    numbers = [step.number for step in steps]
    times = Counter(numbers)
    return Verdict(
        duplicated=sum(count - 1 for count in times.values()),
        out_of_order=sum(place != number for place, number in enumerate(numbers, 1))
        + sum(step.version != last_version(step.number) for step in steps[:-1]),
    )
