"""What chainkeep is to reach beside the others, and whether it did: the writes and the memory; the
reads are in ``benchmarks.read_targets``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Target", "targets"]

_OURS, _FLOOR = "chainkeep", "floor"
_PEERS = ("SQLAlchemyDataLayer", "ChainlitDataLayer")
_TIMES_AS_MANY = {
    ("SQLite", "SQLAlchemyDataLayer"): 30.0,
    ("PostgreSQL", "SQLAlchemyDataLayer"): 15.0,
    ("PostgreSQL", "ChainlitDataLayer"): 5.0,
}
_TIMES_AS_LONG = {"SQLite": 1.6, "PostgreSQL": 2.0}
_MOST_BYTES_A_WRITE = 16.0

Figures = dict[str, Any]
Memories = Sequence[tuple[str, str, float]]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure of ours with its bound."""

    database: str
    what: str
    reached: float
    bound: float
    at_least: bool
    """Whether the bound is the least that will do; else it is the most."""
    sound: bool = True
    """Whether nothing was wrong with what was measured."""

    @property
    def met(self) -> bool:
        """Whether the figure is within its bound, and sound."""
        within = self.reached >= self.bound if self.at_least else self.reached <= self.bound
        return within and self.sound


def targets(figures: Sequence[Figures], memories: Memories) -> list[Target]:
    """Those that were measured; ``memories`` are candidate, database and bytes a write."""
    found = {
        (each["database"], each["candidate"], each["group"], each["chats"]): each
        for each in figures
        if each["p50_ms"] is not None and each["group"] in ("w1", "w2")
    }
    return [
        *(target for database in _TIMES_AS_LONG for target in _of_turns(database, found)),
        *(
            Target(database, "memory, bytes a write", growth, _MOST_BYTES_A_WRITE, at_least=False)
            for candidate, database, growth in memories
            if candidate == _OURS
        ),
    ]


Found = dict[tuple[str, str, str, int], Figures]


def _of_turns(database: str, found: Found) -> Iterator[Target]:
    yield from _turns_per_second(database, found)
    yield from _time_of_a_turn(database, found)
    crowd = found.get((database, _OURS, "w1", 128))
    peers = [
        found[key]["p50_ms"] for peer in _PEERS if (key := (database, peer, "w1", 32)) in found
    ]
    if crowd and peers:
        what = "128 chats, p99 in ms, below the peers' p50 at 32"
        yield Target(database, what, crowd["p99_ms"], min(peers), at_least=False)
    if crowd:
        what = "128 chats, stall of the event loop in ms"
        yield Target(database, what, crowd["stall_ms"], 10.0, at_least=False)


def _turns_per_second(database: str, found: Found) -> Iterator[Target]:
    for group, others in (
        ("w1", {peer: _TIMES_AS_MANY.get((database, peer)) for peer in _PEERS} | {_FLOOR: 2.0}),
        ("w2", {_FLOOR: 3.0}),
    ):
        ours = found.get((database, _OURS, group, 32))
        for other, bound in others.items():
            theirs = found.get((database, other, group, 32))
            if ours and theirs and bound:
                how = "awaited" if group == "w1" else "fired"
                what = f"32 chats, {how}, turns/s, times {other}"
                ratio = ours["per_second"] / theirs["per_second"]
                yield Target(database, what, ratio, bound, at_least=True)


def _time_of_a_turn(database: str, found: Found) -> Iterator[Target]:
    ours = found.get((database, _OURS, "w1", 1))
    for other in (_FLOOR, *_PEERS):
        theirs = found.get((database, other, "w1", 1))
        if ours and theirs:
            bound = _TIMES_AS_LONG[database] if other == _FLOOR else 1.0
            what = f"1 chat, p50 of a turn, times {other}"
            ratio = ours["p50_ms"] / theirs["p50_ms"]
            yield Target(database, what, ratio, bound, at_least=False)
