"""The first tables."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0001"
down_revision = None


def upgrade(run: RunScript) -> None:
    """Make the tables and their indexes."""
    run("0001_initial.sql")
