"""The steps that make a database what schema.sql says; run by `chainkeep.db.migrate`, in order.

A step is a revision of Alembic's, ``versions/NNNN_name.py``, and its SQL beside it. What differs
between the databases stands in ``NNNN_name.sqlite.sql`` and ``NNNN_name.postgresql.sql``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from sqlite3 import complete_statement

__all__ = ["RunScript", "script", "statements"]

RunScript = Callable[[str], None]
"""What a revision's ``upgrade`` is given: runs the script of that name, whole or not at all."""


def script(name: str) -> str:
    """The text of a file of this package."""
    return files(__name__).joinpath(name).read_text("utf-8")


def statements(text: str) -> Iterator[str]:
    """The statements of a script, each whole, with the comments before it. Each ends its line."""
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if complete_statement("\n".join(lines)):
            yield "\n".join(lines).strip()
            lines.clear()
