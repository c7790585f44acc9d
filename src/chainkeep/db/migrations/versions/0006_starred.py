"""In which threads a step was starred."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0006"
down_revision = "0005"


def upgrade(run: RunScript) -> None:
    """Add the column and its index, and mark the threads."""
    run("0006_starred.sql")
