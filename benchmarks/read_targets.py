"""What chainkeep's reads are to reach beside the floor and the peers, what they may take from the
database, and what the search may cost the writers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.peers import UNINDEXED
from benchmarks.reads import PAGE
from benchmarks.targets import Target

__all__ = ["read_targets"]

_OURS, _FLOOR = "chainkeep", "floor"
_DATABASES = ("SQLite", "PostgreSQL")
_MOST_GROWTH = 1.5
_MOST_STALL_MS = 10.0
_MOST_BYTES = 2.0
_LEAST_WHILE_INDEXED = 0.85
_MANY = 10_000
"""Of so many threads the peers' sidebars are compared with ours."""
_TIMES_AS_FAST = {"SQLAlchemyDataLayer": 1000.0, "ChainlitDataLayer": 100.0}
_SLOW_MS = {"SQLAlchemyDataLayer": 0.0, "ChainlitDataLayer": 20.0}
"""A peer's page that takes longer is compared."""

Figures = Mapping[str, Any]


def read_targets(figures: Sequence[Figures], counted: Sequence[Figures]) -> list[Target]:
    """Those that were measured; ``counted`` are the tallies, by candidate and operation."""
    done = [each for each in figures if each["p50_ms"] is not None]
    return [
        target
        for database in _DATABASES
        for target in _on(
            database,
            [each for each in done if each["database"] == database],
            [each for each in counted if each["database"] == database],
        )
    ]


def _on(database: str, figures: Sequence[Figures], counted: Sequence[Figures]) -> Iterator[Target]:
    ours = [each for each in figures if each["candidate"] == _OURS]
    theirs = {(each["candidate"], each["workload"]): each for each in figures}
    for each in ours:
        yield from _beside_the_floor(database, each, theirs.get((_FLOOR, each["workload"])))
        if each["group"] == "r1" and each["size"] == _MANY:
            yield from _sidebar_beside_peers(database, each, theirs)
        if each["group"] == "r3":
            yield from _thread_beside_peers(database, each, theirs)
        if each["group"] == "w4":
            yield from _beside_the_indexer(
                database, each, theirs.get((UNINDEXED, each["workload"]))
            )
    yield from _growth(database, [each for each in ours if each["group"] == "r1"])
    yield from _taken(database, {each["candidate"]: each for each in counted if _is_page(each)})


def _beside_the_floor(database: str, ours: Figures, floor: Figures | None) -> Iterator[Target]:
    if floor is not None and ours["most"] is not None:
        ratio = ours["p50_ms"] / floor["p50_ms"]
        what = f"{ours['workload']}, times floor"
        yield Target(database, what, ratio, ours["most"], at_least=False, sound=not ours["flaws"])


def _sidebar_beside_peers(
    database: str, ours: Figures, theirs: Mapping[tuple[str, str], Figures]
) -> Iterator[Target]:
    for peer, bound in _TIMES_AS_FAST.items():
        found = theirs.get((peer, ours["workload"]))
        if found is not None and found["p50_ms"] > _SLOW_MS[peer]:
            ratio = found["p50_ms"] / ours["p50_ms"]
            what = f"{ours['workload']}, times as fast as {peer}"
            yield Target(database, what, ratio, bound, at_least=True, sound=not ours["flaws"])


def _thread_beside_peers(
    database: str, ours: Figures, theirs: Mapping[tuple[str, str], Figures]
) -> Iterator[Target]:
    sound = not ours["flaws"]
    peers = [found for peer in _TIMES_AS_FAST if (found := theirs.get((peer, ours["workload"])))]
    if peers:
        ratio = ours["p50_ms"] / min(each["p50_ms"] for each in peers)
        what = f"{ours['workload']}, times the faster peer"
        yield Target(database, what, ratio, 1.0, at_least=False, sound=sound)
    what = f"{ours['workload']}, stall of the event loop in ms"
    yield Target(database, what, ours["stall_ms"], _MOST_STALL_MS, at_least=False, sound=sound)


def _beside_the_indexer(database: str, ours: Figures, alone: Figures | None) -> Iterator[Target]:
    if alone is not None:
        ratio = ours["per_second"] / alone["per_second"]
        what = f"{ours['workload']}, turns/s, times those without"
        bound = _LEAST_WHILE_INDEXED
        yield Target(database, what, ratio, bound, at_least=True, sound=not ours["flaws"])


def _growth(database: str, pages: Sequence[Figures]) -> Iterator[Target]:
    full = sorted((each for each in pages if each["size"] >= PAGE), key=lambda each: each["size"])
    if len(full) > 1:
        few, many = full[0], full[-1]
        ratio = many["p50_ms"] / few["p50_ms"]
        what = f"a full page of the sidebar, {many['size']:,} threads beside {few['size']:,}"
        yield Target(database, what, ratio, _MOST_GROWTH, at_least=False, sound=not many["flaws"])


def _is_page(counted: Figures) -> bool:
    return bool(counted["operation"] == "list_threads")


def _taken(database: str, pages: Mapping[str, Figures]) -> Iterator[Target]:
    if ours := pages.get(_OURS):
        what = f"rows from the database for a page of {PAGE}"
        yield Target(database, what, ours["rows"], PAGE + 1, at_least=False)
        if floor := pages.get(_FLOOR):
            ratio = ours["bytes"] / floor["bytes"]
            what = "bytes from the database for a page, times floor"
            yield Target(database, what, ratio, _MOST_BYTES, at_least=False)
