"""How the reads do when others have ten times as much: the same users in two databases."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.measure import Sample, percentile
from benchmarks.peers import CANDIDATES, Candidate
from benchmarks.run import Plan, set_aside
from benchmarks.seed import Seed
from benchmarks.server import durable_server
from benchmarks.subject import Subject, opened
from benchmarks.workloads import Workload, workloads
from tests.support.postgres import PostgresDatabases

__all__ = ["READS", "Grown", "as_table", "growth"]

READS = ("r1", "r2", "r3", "r4", "r5", "r7")
MOST = 1.5
"""How many times as long a read may take."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Grown:
    """One read of chainkeep's, in milliseconds, in the small database and in the big one."""

    database: str
    workload: Workload
    steps: tuple[int, int]
    small: float
    big: float
    flaws: list[str]

    @property
    def times(self) -> float:
        """How many times as long it takes."""
        return self.big / self.small


async def growth(plan: Plan, times: int, say: Say) -> list[Grown]:
    """Seed a database as the plan says and another so many times as big, and read both in turn."""
    small = Seed(plan.scale)
    others = (times - 1) * sum(plan.scale.users)
    big = Seed(replace(plan.scale, crowd=others))
    found: list[Grown] = []
    for candidate in CANDIDATES:
        if candidate.name == "chainkeep" and candidate.database in plan.databases:
            found += await _on(candidate, plan, (small, big), say)
    return found


async def _on(candidate: Candidate, plan: Plan, seeds: tuple[Seed, Seed], say: Say) -> list[Grown]:
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=plan.directory)))
        server: PostgresDatabases | None = None
        if candidate.database == "PostgreSQL":
            server = stack.enter_context(durable_server())
        subjects = []
        for seeded in seeds:
            say(f"{candidate.database}: seeding {seeded.steps:,} steps")
            place = home / str(seeded.steps)
            place.mkdir()
            subjects += await stack.enter_async_context(opened([candidate], place, server, seeded))
        set_aside()
        wanted = [each for each in workloads(plan.scale) if each.group in plan.groups]
        return [await _measured(plan, each, subjects, say) for each in wanted]


async def _measured(plan: Plan, workload: Workload, subjects: Sequence[Subject], say: Say) -> Grown:
    say(f"{subjects[0].candidate.database}: {workload.title}")
    samples: list[list[Sample]] = [[] for _ in subjects]
    for subject in subjects:
        await workload.call(subject, plan.scale.seconds / 10)
    for _ in range(plan.scale.rounds):
        for taken, subject in zip(samples, subjects, strict=True):
            taken.append(await workload.call(subject, plan.scale.seconds))
    small, big = (
        median([1000 * percentile(each.times, 0.5) for each in taken if each.times])
        for taken in samples
    )
    steps = subjects[0].seed.steps, subjects[1].seed.steps
    flaws = sorted({flaw for taken in samples for each in taken for flaw in each.flaws})
    return Grown(subjects[0].candidate.database, workload, steps, small, big, flaws)


def as_table(found: Sequence[Grown]) -> str:
    """The reads of each database in a Markdown table."""
    parts = []
    for database in dict.fromkeys(each.database for each in found):
        own = [each for each in found if each.database == database]
        small, big = own[0].steps
        lines = [
            f"### {database}: reads as others' history grows",
            "",
            f"| | {small:,} steps | {big:,} steps | growth, at most {MOST}x |",
            "| --- | ---: | ---: | ---: |",
            *map(_line, own),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _line(each: Grown) -> str:
    times = f"{each.times:.2f}x" if each.times <= MOST else f"**{each.times:.2f}x**"
    flaws = f" ({'; '.join(each.flaws)})" if each.flaws else ""
    return f"| {each.workload.title}{flaws} | {each.small:.2f} ms | {each.big:.2f} ms | {times} |"
