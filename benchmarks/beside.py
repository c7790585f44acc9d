"""The Thread API beside other libraries for threads: what a message costs in a thread that begins
empty, on SQLite.

As durable as each is by default: theirs is SQLite's rollback journal with synchronous=FULL, ours is
the write-ahead journal with synchronous=FULL, which syncs each commit too. Each posts in a process
of its own, in turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["Rival", "as_lines", "compared"]

_SCRIPT = Path(__file__).with_name("thread_libraries.py")
_ROUNDS, _SECONDS = 3, 300
_OURS = """
import asyncio, json, sys
from benchmarks.thread_libraries import TEXT, timed
from chainkeep import open_threads

async def main(posts):
    async with open_threads("sqlite+aiosqlite:///ours.db") as threads:
        thread = await threads.create()
        return await timed(lambda: thread.add_message("user", TEXT), posts)

times = asyncio.run(main(int(sys.argv[1])))
print(json.dumps({"package": "chainkeep", "times": times}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What a message costs in one library."""

    package: str
    post: float
    """Milliseconds a message: all posts by their number, the median of the rounds."""
    times_ours: float
    saves_all: bool
    """Whether it writes the whole thread at each message."""


def compared(posts: int, python: str | None) -> list[Rival]:
    """Ours first, then the libraries that ``python`` has, and one that is always at hand."""
    rivals = {"append-only": sys.executable}
    if python is not None:
        rivals |= {"threadmem": python, "narrator": python}
    rounds: dict[str, list[float]] = {}
    packages: dict[str, str] = {}
    for _ in range(_ROUNDS):
        for name, package, cost in _round(rivals, posts):
            packages[name] = package
            rounds.setdefault(name, []).append(cost)
    ours = median(rounds["chainkeep"])
    return [
        Rival(
            package=packages[name],
            post=median(costs),
            times_ours=median(costs) / ours,
            saves_all=name in ("threadmem", "narrator"),
        )
        for name, costs in rounds.items()
    ]


def _round(rivals: dict[str, str], posts: int) -> Iterator[tuple[str, str, float]]:
    yield ("chainkeep", *_posted([sys.executable, "-c", _OURS, str(posts)]))
    for name, python in rivals.items():
        package, cost = _posted([python, str(_SCRIPT), name, str(posts)])
        yield name, f"append-only, {package}" if name == "append-only" else package, cost


def _posted(command: Sequence[str]) -> tuple[str, float]:
    """The package, and the milliseconds that a message took, in an empty directory."""
    with tempfile.TemporaryDirectory() as home:
        root = str(_SCRIPT.parents[1])
        done = subprocess.run(  # noqa: S603 - this repository's own script
            command,
            cwd=home,
            env={"HOME": home, "PATH": "", "PYTHONPATH": root},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{command[-2]} did not post: {done.stderr.strip()[-500:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["package"], sum(found["times"]) / len(found["times"])


def as_lines(rivals: Sequence[Rival], posts: int) -> list[str]:
    """A line for each."""
    return [
        f"SQLite, {posts} messages in a new thread: {each.package} {each.post:.2f} ms a message, "
        + (f"{each.times_ours:.1f} times ours" if each.package != "chainkeep" else "ours")
        + (", saves the thread each time" if each.saves_all else "")
        for each in rivals
    ]
