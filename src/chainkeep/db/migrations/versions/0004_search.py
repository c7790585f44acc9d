"""What the search is carried by, filled in the background."""

from __future__ import annotations

from chainkeep.db.migrations import RunScript

revision = "0004"
down_revision = "0003"


def upgrade(run: RunScript) -> None:
    """Add the folded texts, and what tells which rows are not among them yet."""
    run("0004_search.sql")
