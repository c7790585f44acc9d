"""Makes the trigram index over ``search_texts``, where the database can."""

from __future__ import annotations

from sqlalchemy import Connection

from chainkeep.db import migrations
from chainkeep.db.dialects import run_long

__all__ = ["make_trigram_index"]


def make_trigram_index(connection: Connection) -> None:
    """Make the index of what is in ``search_texts``; in the caller's transaction, which nobody else
    indexes in. Raises what the driver raises where the database cannot.
    """
    name = connection.dialect.name
    sql = migrations.script(f"search.{name}.sql")
    # PostgreSQL's is one statement, though its body has semicolons.
    for statement in migrations.statements(sql) if name == "sqlite" else [sql]:
        run_long(connection, statement)
