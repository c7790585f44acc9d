"""What hangs under a step is found in its thread; an index for that alone cost each write."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0007"
down_revision = "0006"


def upgrade(run: RunScript) -> None:
    """Drop the index."""
    run("0007_parents.sql")
