"""What a message was summarized as before."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0005"
down_revision = "0004"


def upgrade(run: RunScript) -> None:
    """Add the column."""
    run("0005_summaries.sql")
