"""Measures the Thread API beside the floor and other libraries: posting, and listing threads.

    python -m benchmarks.thread_api [--quick] [--beside PYTHON]

The floor is the drivers alone, one statement a call, as in docs/benchmarks.md; it writes a bare
row where the Thread API checks, orders and counts. Chainlit's SQLAlchemyDataLayer adds a row too.
PYTHON is an interpreter that has threadmem and slide-narrator, which are then measured in the same
run; ``benchmarks.beside`` says how.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from chainlit.types import Pagination, ThreadFilter

from benchmarks.beside import as_lines, compared
from benchmarks.chat import Turn
from benchmarks.measure import Sample, timed
from benchmarks.peers import CANDIDATES
from benchmarks.seed import QUICK, Seed
from benchmarks.server import durable_server
from benchmarks.subject import Subject, opened
from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.threads import Thread, Threads, open_threads
from tests.threads.statements import statements_of

__all__ = ["Figures", "main"]

PAGE = 20
_BUILT_IN = "SQLAlchemyDataLayer"
TEXT = "What does a data layer do?"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    threads: int
    """Of 20 steps each, in the history that is listed."""
    posts: int
    longest: int
    """How many messages the thread has at the end, to which one more should cost the same."""
    lists: int


FULL_SIZE = Size(threads=1000, posts=200, longest=800, lists=200)
QUICK_SIZE = Size(threads=30, posts=20, longest=60, lists=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured; times are milliseconds, the median of a call."""

    database: str
    post: float
    floor_post: float
    built_in_post: float
    """Chainlit's own layer: a row, with nothing read or ordered."""
    growth: float
    """What a message costs in the longest thread, by what it costs in one of an eighth of that."""
    page: float
    floor_page: float
    post_statements: int
    page_statements: int
    flaws: list[str]


async def measure(size: Size, directory: Path) -> list[Figures]:
    """On SQLite, then on PostgreSQL."""
    seeded = Seed(replace(QUICK, users=(size.threads,), lengths=(20,)))
    candidates = [each for each in CANDIDATES if each.name in ("chainkeep", "floor", _BUILT_IN)]
    with ExitStack() as stack:
        server = stack.enter_context(durable_server())
        async with opened(candidates, directory, server, seeded) as subjects:
            return [
                await _measured(database, size, subjects) for database in ("SQLite", "PostgreSQL")
            ]


async def _measured(database: str, size: Size, subjects: Sequence[Subject]) -> Figures:
    by_name = {
        each.candidate.name: each for each in subjects if each.candidate.database == database
    }
    ours, floor = by_name["chainkeep"], by_name["floor"]
    layer = ours.layer
    if not isinstance(layer, ChainkeepDataLayer):
        raise TypeError("The Thread API stands on chainkeep's own layer.")
    async with open_threads(layer) as threads:
        # Turn about, so that what the machine does besides hits both.
        floor_posts = await _floor_posts(floor, size)
        built_in = await _floor_posts(by_name[_BUILT_IN], size)
        posts = await _posts(threads, size)
        page, floor_page = await _pages(threads, ours, size), await _floor_pages(floor, size)
        thread = await threads.create()
        owner = ours.seed.identifier(size.threads)
        return Figures(
            database=database,
            post=_ms(posts),
            floor_post=_ms(floor_posts),
            built_in_post=_ms(built_in),
            growth=await _growth(threads, size),
            page=_ms(page),
            floor_page=_ms(floor_page),
            post_statements=await _statements(lambda: thread.add_message("user", TEXT)),
            page_statements=await _statements(lambda: threads.list(owner=owner, first=PAGE)),
            flaws=[*posts.flaws, *floor_posts.flaws, *page.flaws, *floor_page.flaws],
        )


async def _posts(threads: Threads, size: Size) -> Sample:
    """The first posts of a thread."""
    thread = await threads.create()
    return await _posted(thread, size.posts)


async def _posted(thread: Thread, posts: int) -> Sample:
    sample = await _repeated(lambda: thread.add_message("assistant", TEXT), posts)
    if len(await thread.messages()) != posts:
        sample.blame(f"did not keep {posts} messages")
    return sample


async def _growth(threads: Threads, size: Size) -> float:
    """What a message costs at the end of the longest thread, by what it costs at an eighth of that;
    turn about, so that what the machine does besides hits both.
    """
    eighth = size.longest // 8
    short, long = await threads.create(), await threads.create()
    await _posted(short, eighth // 2)
    await _posted(long, size.longest - eighth)
    calls = [partial(each.add_message, "assistant", TEXT) for each in (short, long)]
    times = (await timed([calls * eighth], 600)).times
    return median(times[1::2]) / median(times[::2])


async def _statements(call: Callable[[], Awaitable[Any]]) -> int:
    """How many statements a call takes; what runs in the background may come in between."""
    return min([len(await statements_of(call)) for _ in range(5)])


async def _floor_posts(floor: Subject, size: Size) -> Sample:
    [thread_id] = await floor.new_threads(1)

    async def post() -> None:
        await floor.layer.create_step(Turn(thread_id, "Assistant").question())

    return await _repeated(post, size.posts)


async def _pages(threads: Threads, ours: Subject, size: Size) -> Sample:
    owner = ours.seed.identifier(size.threads)

    async def page() -> None:
        found = await threads.list(owner=owner, first=PAGE)
        if len(found.items) != PAGE:
            raise ValueError(f"gave {len(found.items)} threads")

    return await _repeated(page, size.lists)


async def _floor_pages(floor: Subject, size: Size) -> Sample:
    filters = ThreadFilter(userId=floor.seed.user_id(size.threads))
    return await _repeated(
        lambda: floor.layer.list_threads(Pagination(first=PAGE), filters), size.lists
    )


async def _repeated(call: Callable[[], Awaitable[Any]], times: int) -> Sample:
    return await timed([[call] * times], 600)


def _ms(sample: Sample) -> float:
    return median(sample.times) * 1000


def as_text(figures: Sequence[Figures], size: Size) -> str:
    """A line for each figure."""
    lines = [f"{size.posts} posts; a page of {PAGE} of {size.threads:,} threads of 20 steps"]
    for each in figures:
        others = f"floor {each.floor_post:.2f}, {_BUILT_IN} {each.built_in_post:.2f}"
        post = f"a post {each.post:.2f} ms ({others})"
        grown = f"at {size.longest} messages {each.growth:.2f} times what at {size.longest // 8}"
        page = f"a page {each.page:.2f} ms (floor {each.floor_page:.2f})"
        lines += [
            f"{each.database}: {post}, {each.post_statements} statements, {grown}",
            f"{each.database}: {page}, {each.page_statements} statements",
            *(f"{each.database}: {flaw}" for flaw in each.flaws),
        ]
    return "\n".join([*lines, ""])


def main(arguments: Sequence[str] | None = None) -> list[Figures]:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.thread_api", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little data")
    parser.add_argument("--beside", metavar="PYTHON", help="has threadmem and slide-narrator")
    given = parser.parse_args(arguments)
    size = QUICK_SIZE if given.quick else FULL_SIZE
    with tempfile.TemporaryDirectory() as home:
        figures = asyncio.run(measure(size, Path(home)))
    sys.stdout.write(as_text(figures, size))
    lines = as_lines(compared(size.posts, given.beside), size.posts)
    sys.stdout.write("\n".join([*lines, ""]))
    return figures


if __name__ == "__main__":
    main()
