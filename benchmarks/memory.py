"""Whether a process grows while it writes."""

from __future__ import annotations

import asyncio
import gc
import os
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chat import Turn
from benchmarks.subject import Subject
from benchmarks.writes import awaited_turn

__all__ = ["Memory", "memory"]

_CHATS = 32
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Memory:
    """The process's resident memory, in bytes, along so many writes."""

    writes: list[int] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)

    def note(self, writes: int) -> None:
        """Look now."""
        gc.collect()
        self.writes.append(writes)
        self.resident.append(_resident())

    @property
    def growth(self) -> float:
        """Bytes for each write, over the second half: by then all that is cached is."""
        half = len(self.writes) // 2
        written = self.writes[-1] - self.writes[half]
        return (self.resident[-1] - self.resident[half]) / written if written else 0.0


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


async def memory(subject: Subject, *, writes: int, seconds: float) -> Memory:
    """Turns of 32 chats at once, looked at twenty times; cut off where it takes too long."""
    found, label = Memory(), subject.label()
    threads = await subject.new_threads(_CHATS)
    deadline = asyncio.get_running_loop().time() + seconds
    portion = max(1, writes // 20 // 5 // _CHATS)
    done = 0
    found.note(done)
    while done < writes and asyncio.get_running_loop().time() < deadline:
        await asyncio.gather(*(_turns(subject, thread, label, portion) for thread in threads))
        done += portion * 5 * _CHATS
        found.note(done)
    return found


async def _turns(subject: Subject, thread_id: str, label: str, turns: int) -> None:
    subject.enter_chat(thread_id)
    for _ in range(turns):
        await awaited_turn(subject.layer, Turn(thread_id, label))
