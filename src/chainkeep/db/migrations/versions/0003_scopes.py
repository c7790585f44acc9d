"""To which organisation and product a thread belongs, and what an attachment has besides bytes."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0003"
down_revision = "0002"


def upgrade(run: RunScript) -> None:
    """Add the columns, and the indexes of the lists by organisation and product."""
    run("0003_scopes.sql")
