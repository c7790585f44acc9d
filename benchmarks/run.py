"""A whole run: candidates take turns at each workload, round after round."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.counting import Tally, counts
from benchmarks.measure import Sample
from benchmarks.memory import Memory, memory
from benchmarks.peers import CANDIDATES, Candidate
from benchmarks.seed import Scale, Seed
from benchmarks.server import durable_server
from benchmarks.subject import Subject, index, opened
from benchmarks.surroundings import Surroundings, surroundings
from benchmarks.workloads import GROUPS, Workload, workloads

__all__ = ["Cell", "Plan", "Results", "run", "set_aside"]

_MEMORY_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    scale: Scale
    databases: Collection[str]
    groups: Collection[str]
    directory: Path | None = None
    """Where the databases are made; the system's directory for temporary files if None."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One candidate's samples of one workload, a sample for each round."""

    workload: Workload
    candidate: Candidate
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a run found."""

    plan: Plan
    surroundings: Surroundings
    cells: list[Cell]
    tallies: list[tuple[Candidate, dict[str, Tally]]]
    memories: list[tuple[Candidate, Memory]]


def set_aside() -> None:
    """Keep the garbage collector from going through Chainlit and all else that is in memory by now:
    that takes a tenth of a second and is no candidate's doing.
    """
    gc.collect()
    gc.freeze()


async def run(plan: Plan, say: Say) -> Results:
    """Measure; ``say`` is told how far it is."""
    seeded = Seed(plan.scale)
    candidates = [each for each in CANDIDATES if each.database in plan.databases]
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=plan.directory)))
        needed = "PostgreSQL" in plan.databases
        server = stack.enter_context(durable_server()) if needed else None
        say("seeding")
        async with opened(candidates, home, server, seeded) as subjects:
            around = await surroundings(home, server)
            stack.callback(gc.unfreeze)
            wanted = [each for each in workloads(plan.scale) if each.group in plan.groups]
            tallies = await _tallies(subjects, say) if "counts" in plan.groups else []
            cells = [cell for each in wanted for cell in await _rounds(plan, each, subjects, say)]
            memories = await _memories(plan, subjects, say) if "memory" in plan.groups else []
    return Results(plan, around, cells, tallies, memories)


async def _rounds(
    plan: Plan, workload: Workload, subjects: Sequence[Subject], say: Say
) -> list[Cell]:
    say(workload.title)
    set_aside()
    subjects = [each for each in subjects if _takes_part(each.candidate, workload)]
    cells = [Cell(workload, subject.candidate, []) for subject in subjects]
    if workload.writes:
        for subject in subjects:
            await subject.unindex()
    if workload.warm:
        for subject in subjects:
            await workload.call(subject, plan.scale.seconds / 10)
    for _ in range(plan.scale.rounds):
        for cell, subject in zip(cells, subjects, strict=True):
            cell.samples.append(await workload.call(subject, plan.scale.seconds))
            if workload.writes and subject.candidate.name == "chainkeep":
                await subject.reopen()  # or it would index while others are measured
            await asyncio.sleep(workload.rest)
    return cells


def _takes_part(candidate: Candidate, workload: Workload) -> bool:
    names = workload.candidates
    return candidate.takes_part(workload.group) and (names is None or candidate.name in names)


async def _tallies(
    subjects: Sequence[Subject], say: Say
) -> list[tuple[Candidate, dict[str, Tally]]]:
    say(GROUPS["counts"])
    taking_part = [each for each in subjects if each.candidate.takes_part("counts")]
    tallies = [(subject.candidate, await counts(subject)) for subject in taking_part]
    for subject in taking_part:
        if subject.candidate.name == "chainkeep":
            await index(subject.place.url)  # what was counted, or the reads would find it waiting
    return tallies


async def _memories(
    plan: Plan, subjects: Sequence[Subject], say: Say
) -> list[tuple[Candidate, Memory]]:
    say(GROUPS["memory"])
    return [
        (
            subject.candidate,
            await memory(subject, writes=plan.scale.writes, seconds=_MEMORY_SECONDS),
        )
        for subject in subjects
        if subject.candidate.takes_part("memory")
    ]
