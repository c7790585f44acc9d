"""Results as JSON for programs and as Markdown tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.counting import Tally
from benchmarks.measure import percentile
from benchmarks.memory import Memory
from benchmarks.peers import Candidate
from benchmarks.read_targets import read_targets
from benchmarks.run import Cell, Results
from benchmarks.targets import Target, targets

__all__ = ["as_json", "as_markdown"]

_DATABASES = ("SQLite", "PostgreSQL")
_TURNS = ("w1", "w2", "w4")
"""The groups whose figure is how many turns there were in a second."""


def as_json(results: Results) -> dict[str, Any]:
    """All figures, times in milliseconds, memory in bytes."""
    return {
        "surroundings": asdict(results.surroundings),
        "scale": asdict(results.plan.scale),
        "measured": [_figures(cell) for cell in results.cells],
        "counted": _counts(results),
        "targets": [{**asdict(each), "met": each.met} for each in _targets(results)],
        "memory": [
            {**_who(candidate), **asdict(found), "bytes_per_write": found.growth}
            for candidate, found in results.memories
        ],
    }


def _targets(results: Results) -> list[Target]:
    memories = [(who.name, who.database, found.growth) for who, found in results.memories]
    figures = [_figures(cell) for cell in results.cells]
    return [*targets(figures, memories), *read_targets(figures, _counts(results))]


def _counts(results: Results) -> list[dict[str, Any]]:
    return [
        {**_who(candidate), "operation": operation, **asdict(tally)}
        for candidate, tallies in results.tallies
        for operation, tally in tallies.items()
    ]


def _who(candidate: Candidate) -> dict[str, str]:
    return {"candidate": candidate.name, "database": candidate.database}


def _figures(cell: Cell) -> dict[str, Any]:
    """Medians over the rounds; None where nothing was done in any."""
    done = [sample for sample in cell.samples if sample.times]
    return {
        **_who(cell.candidate),
        "group": cell.workload.group,
        "workload": cell.workload.title,
        "chats": cell.workload.chats,
        "size": cell.workload.size,
        "most": cell.workload.most,
        "calls": sum(len(sample.times) for sample in done),
        "rounds": len(cell.samples),
        "p50_ms": _median([1000 * percentile(sample.times, 0.5) for sample in done]),
        "p99_ms": _median([1000 * percentile(sample.times, 0.99) for sample in done]),
        "per_second": _median([len(sample.times) / sample.elapsed for sample in done]),
        "stall_ms": _median([1000 * sample.stall for sample in done]),
        "flaws": sorted({flaw for sample in cell.samples for flaw in sample.flaws}),
    }


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def as_markdown(results: Results) -> str:
    """The tables, one of each kind per database."""
    figures = [_figures(cell) for cell in results.cells]
    parts = [_introduction(results), *_compared(_targets(results))]
    for database in _DATABASES:
        own = [figure for figure in figures if figure["database"] == database]
        turns = [figure for figure in own if figure["group"] in _TURNS]
        calls = [figure for figure in own if figure["group"] not in _TURNS]
        parts += _titled(f"{database}: turns per second", turns, _turns_cell)
        parts += _titled(f"{database}: time of a call", calls, _call_cell)
        parts += _counted(database, results.tallies)
    parts += _memories(results.memories)
    parts += _flaws(figures)
    return "\n\n".join(parts) + "\n"


def _introduction(results: Results) -> str:
    around, scale = results.surroundings, results.plan.scale
    versions = ", ".join(f"{name} {number}" for name, number in around.versions.items())
    server = ", ".join(f"{name} {value}" for name, value in around.postgresql.items())
    return (
        f"{around.when}; {versions}. {around.machine['system']}, {around.machine['cpus']} CPUs, "
        f"load at the start {around.machine['load']}; 4 kB are on disk after "
        f"{around.sync_ms:.2f} ms. PostgreSQL: {server or 'not measured'}. "
        f"Medians over {scale.rounds} rounds of at most {scale.seconds:g} s each."
    )


def _compared(found: Sequence[Target]) -> Iterator[str]:
    if found:
        rows = [
            [
                f"{each.database}, {each.what}",
                f"{each.reached:,.2f}",
                f"{'at least' if each.at_least else 'at most'} {each.bound:,.2f}",
                "yes" if each.met else "**no**",
            ]
            for each in found
        ]
        yield f"### Targets\n\n{_table(['', 'chainkeep', 'target', 'met'], rows)}"


def _turns_cell(figure: dict[str, Any], floor: dict[str, Any] | None) -> str:
    del floor
    return (
        f"{figure['per_second']:,.0f} ({figure['p50_ms']:.1f} / {figure['p99_ms']:.1f} ms, "
        f"stall {figure['stall_ms']:.1f})"
    )


def _call_cell(figure: dict[str, Any], floor: dict[str, Any] | None) -> str:
    cell = f"{figure['p50_ms']:.2f} ms"
    if floor is None or floor is figure or not floor["p50_ms"]:
        return cell
    ratio, most = figure["p50_ms"] / floor["p50_ms"], figure["most"]
    if most is None or figure["candidate"] != "chainkeep":
        return f"{cell} ({ratio:,.1f}x)"
    kept = "within" if ratio <= most else "**over**"
    return f"{cell} ({ratio:,.2f}x, {kept} {most:g}x)"


CellText = Callable[[dict[str, Any], "dict[str, Any] | None"], str]


def _titled(title: str, figures: Sequence[dict[str, Any]], text: CellText) -> Iterator[str]:
    """A table, a row for each workload; an asterisk where something was wrong."""
    if not figures:
        return
    names = list(dict.fromkeys(figure["candidate"] for figure in figures))
    rows = []
    for workload in dict.fromkeys(figure["workload"] for figure in figures):
        found = {each["candidate"]: each for each in figures if each["workload"] == workload}
        cells = (_cell(found.get(name), found.get("floor"), text) for name in names)
        rows.append([workload, *cells])
    yield f"### {title}\n\n{_table(['', *names], rows)}"


def _cell(figure: dict[str, Any] | None, floor: dict[str, Any] | None, text: CellText) -> str:
    if figure is None or figure["p50_ms"] is None:
        return "-" if figure is None else "failed*"
    return text(figure, floor) + ("*" if figure["flaws"] else "")


def _counted(database: str, tallies: Sequence[tuple[Candidate, dict[str, Tally]]]) -> Iterator[str]:
    own = [(who.name, tally) for who, tally in tallies if who.database == database]
    if not own:
        return
    names = ["", *(name for name, _ in own)]
    for heading, text in (
        ("statements, commits and round trips of a call", _tally),
        ("rows and bytes that come from the database in a call", _taken),
    ):
        rows = [
            [operation, *(text(tally[operation]) for _, tally in own)] for operation in own[0][1]
        ]
        yield f"### {database}: {heading}\n\n{_table(names, rows)}"


def _taken(tally: Tally) -> str:
    return f"{tally.rows:,} / {tally.bytes:,}" if tally.rows else "-"


def _tally(tally: Tally) -> str:
    trips = f" / {tally.round_trips}" if tally.round_trips else ""
    return f"{tally.statements} / {tally.commits}{trips}"


def _memories(memories: Sequence[tuple[Candidate, Memory]]) -> Iterator[str]:
    if not memories:
        return
    rows = [
        [
            f"{who.name}, {who.database}",
            f"{found.writes[-1]:,}",
            f"{found.resident[0] / 2**20:.1f}",
            f"{found.resident[-1] / 2**20:.1f}",
            f"{found.growth:,.1f}",
        ]
        for who, found in memories
    ]
    columns = ["", "writes", "MB before", "MB after", "bytes per write, second half"]
    yield f"### Memory\n\n{_table(columns, rows)}"


def _flaws(figures: Sequence[dict[str, Any]]) -> Iterator[str]:
    lines = [
        f"- {each['candidate']}, {each['database']}, {each['workload']}: {flaw}"
        for each in figures
        for flaw in each["flaws"]
    ]
    if lines:
        yield "### What was wrong (*)\n\n" + "\n".join(lines)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---", *("---:" for _ in columns[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
