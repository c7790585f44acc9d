"""The list of what is measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks import reads, writes
from benchmarks.measure import Sample
from benchmarks.peers import UNINDEXED
from benchmarks.seed import COMMON_WORD, RARE_WORD, Scale
from chainkeep.db.indexer import FIRST_PAUSE

__all__ = ["GROUPS", "Workload", "workloads"]

Run = Callable[..., Awaitable[Sample]]

GROUPS = {
    "w1": "a turn of a chat: five writes, each awaited",
    "w2": "a turn of a chat: five writes fired as tasks, as Chainlit does",
    "w3": "the upload of a file of 100 kB to local disk",
    "w4": "a turn of a chat while the search index is kept in step, and while it is not",
    "r1": "the sidebar's first page",
    "r2": "the sidebar, page by page to the end",
    "r3": "a thread with all that is in it",
    "r4": "search",
    "r5": "favourites",
    "r6": "the deletion of a thread of 200 steps and 20 elements",
    "r7": "a user; the owner of a thread",
    "counts": "statements and round trips of each call, counted",
    "memory": "the process's memory over many writes",
}
"""What can be measured, by the name that ``--only`` takes."""


_BEFORE = 0.2
"""For how many seconds chats go on before it counts: chainkeep was just opened, and whoever has no
connection yet is measured by that.
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """Something that every candidate does in turn."""

    name: str
    """The group's name, and what sets it apart from others of the group."""
    title: str
    run: Run
    arguments: dict[str, Any]
    most: float | None = None
    """At most how many times the floor's time chainkeep may take."""
    warm: bool = True
    """Whether each candidate does it once before it counts."""
    rest: float = 0.02
    """For how many seconds nobody does anything afterwards, so that what a candidate left to the
    background does not run on while the next is measured.
    """
    writes: bool = False
    """Whether chainkeep is left with something to index."""
    candidates: Collection[str] | None = None
    """The names of those who do it; None for all."""

    @property
    def group(self) -> str:
        """The name under which ``--only`` finds it."""
        return self.name.partition("-")[0]

    @property
    def chats(self) -> int:
        """How many calls are under way at once."""
        return int(self.arguments.get("chats", 1))

    @property
    def size(self) -> int | None:
        """How many threads or steps there are to be read from."""
        return self.arguments.get("threads", self.arguments.get("steps"))

    @property
    def call(self) -> Callable[..., Awaitable[Sample]]:
        """Runs it for a subject and so many seconds."""
        return partial(self.run, **self.arguments)


def workloads(scale: Scale) -> list[Workload]:
    """All of them, the reads first: they find what was seeded and nothing else."""
    most = scale.users[-1]
    walked = scale.users[-2]
    return [
        *(
            _read("r1", f"sidebar of {n:,} threads", reads.sidebar, 3, threads=n)
            for n in scale.users
        ),
        _read("r2", f"history of {walked:,} threads, a page", reads.history, 3, threads=walked),
        *(
            _read("r3", f"thread of {n:,} steps", reads.thread, at_most, steps=n)
            for n, at_most in zip(scale.lengths, (2, 1.7, 1.5), strict=False)
        ),
        *(
            _read(
                "r4", f"search, {kind}, {most:,} threads", reads.search, 5, threads=most, word=word
            )
            for kind, word in (("rare", RARE_WORD), ("common", COMMON_WORD))
        ),
        _read("r5", f"favourites in {most:,} threads", reads.favorites, 2, threads=most),
        _read("r7", "get_user", reads.user, None, threads=most),
        _read("r7", "get_thread_author", reads.author, None, threads=most),
        *(_beside_the_indexer(n) for n in scale.chats[:2]),
        *(_turns("w1", "awaited", writes.awaited_turn, n) for n in scale.chats),
        *(_turns("w2", "fired", writes.fired_turn, n) for n in scale.chats),
        Workload("w3", "upload of 100 kB", writes.uploads, {}),
        Workload("r6", "deletion of a thread", writes.deletions, {}, 2, warm=False, rest=0.5),
    ]


def _read(group: str, title: str, run: Run, most: float | None, **arguments: Any) -> Workload:
    values = "-".join(str(value) for value in arguments.values())
    return Workload(f"{group}-{run.__name__}-{values}", title, run, arguments, most)


def _turns(group: str, how: str, play: writes.Play, chats: int) -> Workload:
    title = f"turns, {how}, {chats} chat{'s' if chats > 1 else ''}"
    arguments = {"play": play, "chats": chats, "before": _BEFORE}
    return Workload(f"{group}-{chats}", title, writes.chat_turns, arguments, writes=True)


def _beside_the_indexer(chats: int) -> Workload:
    turns = _turns("w4", "awaited, beside the indexer", writes.awaited_turn, chats)
    arguments = {**turns.arguments, "before": 1.5 * FIRST_PAUSE}
    return replace(turns, arguments=arguments, candidates=("chainkeep", UNINDEXED))
