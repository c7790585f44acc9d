"""What an adoption did, or would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["AdoptionReport"]


@dataclass(slots=True, kw_only=True)
class AdoptionReport:
    """Counts only, nothing of what was said."""

    dry_run: bool
    """Whether all of it was undone again."""
    revision: str = ""
    """The revision of the new tables."""
    rows: dict[str, int] = field(default_factory=dict)
    """Table to the rows that it had."""
    adopted: dict[str, int] = field(default_factory=dict)
    """Table to the rows that are in the new one."""
    filled: Counter[str] = field(default_factory=Counter)
    """Columns, as ``steps.createdAt``, to the rows where they were empty and may not be."""
    moved: Counter[str] = field(default_factory=Counter)
    """Columns that have no counterpart, to the rows whose value is now in ``extra``."""
    leftovers: Counter[str] = field(default_factory=Counter)
    """Columns, or whole tables, to the values that are now in ``chainkeep_leftovers``."""
    odd: Counter[str] = field(default_factory=Counter)
    """What the owner of the database may want to look into."""

    def as_json(self) -> dict[str, Any]:
        """The report as JSON's own types."""
        return {
            "dry_run": self.dry_run,
            "revision": self.revision,
            "tables": {t: {"rows": n, "adopted": self.adopted[t]} for t, n in self.rows.items()},
            "filled": dict(self.filled),
            "moved_to_extra": dict(self.moved),
            "kept_in_chainkeep_leftovers": dict(self.leftovers),
            "odd": dict(self.odd),
        }

    def lines(self) -> Iterator[str]:
        """The report as sentences, one a line."""
        for table, rows in self.rows.items():
            yield f"{table}: {self.adopted[table]} of {rows} rows adopted"
        for column, count in self.filled.items():
            yield f"{column}: was empty and has been filled in {count} rows"
        for column, count in self.moved.items():
            yield f"{column}: {count} values moved to the extra column"
        for place, count in self.leftovers.items():
            yield f"{place}: {count} kept aside in the table chainkeep_leftovers"
        for remark, count in self.odd.items():
            yield f"{remark}: {count}"
