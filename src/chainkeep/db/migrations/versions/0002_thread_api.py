"""What the Thread API keeps beside what the UI shows."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0002"
down_revision = "0001"


def upgrade(run: RunScript) -> None:
    """Add the columns and tables that only the Thread API writes."""
    run("0002_thread_api.sql")
