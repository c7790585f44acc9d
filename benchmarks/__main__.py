"""Measures chainkeep beside Chainlit's own data layers and the bare drivers: see
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.growth import READS, as_table, growth
from benchmarks.report import as_json, as_markdown
from benchmarks.run import Plan, run
from benchmarks.seed import FULL, QUICK
from benchmarks.workloads import GROUPS

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MARK = "<!-- figures: written by python -m benchmarks --docs -->"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and write what was found where it was asked for."""
    given = _parser().parse_args(arguments)
    scale = QUICK if given.quick else FULL
    plan = Plan(
        replace(scale, rounds=given.rounds or scale.rounds),
        [DATABASES[name] for name in given.database or DATABASES],
        given.only or GROUPS,
        given.directory,
    )
    if given.scale:
        return _write(given.docs, _grown(plan, given.scale, given.only or READS))
    results = asyncio.run(run(plan, _say))
    if given.json:
        given.json.write_text(json.dumps(as_json(results), indent=1) + "\n", "utf-8")
    return _write(given.docs, as_markdown(results))


def _grown(plan: Plan, times: int, groups: Collection[str]) -> str:
    reads = replace(plan, groups=[name for name in groups if name in READS])
    return as_table(asyncio.run(growth(reads, times, _say)))


def _write(docs: Path | None, tables: str) -> None:
    sys.stdout.write(tables)
    if docs:
        before = docs.read_text("utf-8").partition(MARK)[0]
        docs.write_text(f"{before}{MARK}\n\n{tables}", "utf-8")


def _say(progress: str) -> None:
    sys.stderr.write(f"{progress}\n")


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:8}{title}" for name, title in GROUPS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"workloads:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="little data, short rounds")
    add("--only", nargs="+", choices=GROUPS, metavar="WORKLOAD", help="all unless given")
    add("--database", nargs="+", choices=DATABASES, help="both unless given")
    add("--scale", type=int, metavar="TIMES", help="only reads, also when others have more")
    add("--rounds", type=int, help="how many times each candidate takes its turn")
    add("--json", type=Path, metavar="FILE", help="write all figures there too")
    add("--docs", type=Path, metavar="FILE", help="write the tables at the file's end too")
    add("--directory", type=Path, metavar="PATH", help="where the databases are made")
    return parser


if __name__ == "__main__":
    main()
