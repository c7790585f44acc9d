"""What the runs of a session saw of each fault, in figures: a table for whoever runs them, and for
docs/reliability.md.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timezone
from pathlib import Path

from tests.support.ledger import Verdict

BEGIN, END = "<!-- figures: written by make faults DOCS={} -->", "<!-- end of the figures -->"
ORDER = (
    "app killed",
    "apps, ",
    "PostgreSQL",
    "PgBouncer",
    "connections",
    "answer",
    "black hole",
)
"""How the names of faults begin that come first, in this order."""
COLUMNS = ["times", *(field.name.replace("_", " ") for field in fields(Verdict))]


class Figures:
    """How often each fault came, and the sums of what was seen then."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}

    def add(self, what: str, figures: Sequence[int]) -> None:
        """Add what one run saw: how often the fault came, and a ``Verdict``'s figures."""
        row = self._rows.setdefault(what, [0] * len(COLUMNS))
        row[:] = map(sum, zip(row, figures, strict=True))

    def __bool__(self) -> bool:
        return bool(self._rows)

    def rows(self) -> list[tuple[str, list[int]]]:
        """The faults in the order in which one looks for them."""
        return sorted(self._rows.items(), key=_place)

    def as_text(self) -> list[str]:
        """Lines for a terminal."""
        line = "{:58} {:>6} {:>12} {:>7} {:>7} {:>5} {:>10} {:>12}"
        return [line.format("fault", *COLUMNS), *(line.format(w, *f) for w, f in self.rows())]

    def as_markdown(self, seconds: float) -> str:
        """The table, and what it was made on."""
        together = list(map(sum, zip(*self._rows.values(), strict=True)))
        table = [["fault", *COLUMNS], ["---", *["---:"] * len(COLUMNS)]]
        table += [[what, *(f"{figure:,}" for figure in row)] for what, row in self.rows()]
        table += [["**together**", "", *(f"**{figure:,}**" for figure in together[1:])]]
        lines = [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in table]
        where = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        when = f"{datetime.now(timezone.utc):%Y-%m-%d}"
        made = f"One run of `make faults` on {when}: {seconds / 60:.0f} minutes, {where}."
        return "\n".join([*lines, "", made])

    def write_into(self, page: Path, seconds: float) -> None:
        """Renew the figures of a page, between the lines that mark them."""
        before, begin, rest = page.read_text("utf-8").partition(BEGIN.format(page))
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise ValueError(f"{page} has no lines that mark where the figures stand")
        figures = self.as_markdown(seconds)
        page.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", "utf-8")


def _place(row: tuple[str, list[int]]) -> int:
    return next((n for n, begin in enumerate(ORDER) if row[0].startswith(begin)), len(ORDER))
