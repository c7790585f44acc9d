"""A PostgreSQL server that is as durable as one in use; those of the tests are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.seed import text
from chainkeep.db.migrations import statements
from tests.support.postgres import (
    PostgresDatabases,
    PostgresServer,
    postgres_servers,
    with_trigrams,
)

__all__ = ["durable_server"]


@contextmanager
def durable_server() -> Iterator[PostgresDatabases]:
    """A server that syncs each commit to disk, with trigrams where one has them at hand;
    CHAINKEEP_TEST_POSTGRES_URL as it is, if set.
    """
    if existing := os.environ.get("CHAINKEEP_TEST_POSTGRES_URL"):
        yield PostgresDatabases(existing)
        return
    with PostgresServer([*with_trigrams(), *postgres_servers()][0]) as server:
        for statement in statements(text("server")):
            server.execute(statement)
        server.restart("fast")
        yield server
