"""What can be configured, and from where: an argument, else a ``CHAINKEEP_*`` variable, else the
default.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chainkeep.errors import InvalidInputError

__all__ = ["DatabaseSettings", "Settings", "env_flag", "env_number"]

DEFAULT_DATABASE_URL = "sqlite+aiosqlite:///.chainkeep/chainkeep.db"
DEFAULT_BLOBS = ".chainkeep/blobs"
DEFAULT_SPOOL = ".chainkeep/spool"
DEFAULT_JOURNAL = ".chainkeep/journal"

_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def env_flag(name: str, default: bool, environ: Mapping[str, str] = os.environ) -> bool:
    """The variable as a yes or no; ``InvalidInputError`` for any other word."""
    word = environ.get(name, "").strip().lower()
    if not word:
        return default
    if word not in _TRUE | _FALSE:
        raise InvalidInputError(f"{name} is neither true nor false; set it to 1 or 0.")
    return word in _TRUE


def env_number(name: str, default: int, environ: Mapping[str, str] = os.environ) -> int:
    """The variable as a whole number; ``InvalidInputError`` for anything else."""
    word = environ.get(name, "").strip()
    if not word:
        return default
    if not word.isdecimal():
        raise InvalidInputError(f"{name} is not a whole number.")
    return int(word)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How to reach the database."""

    url: str = field(default=DEFAULT_DATABASE_URL, repr=False)
    """An asynchronous SQLAlchemy URL, ``sqlite+aiosqlite://`` or ``postgresql+asyncpg://``."""
    replica_url: str | None = field(default=None, repr=False)
    """A PostgreSQL server that follows the one of ``url``: lists of threads are read from it."""
    connect_args: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Passed to the driver as they are."""
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    """Passed to SQLAlchemy's ``create_async_engine`` as they are; they win over our defaults."""
    pool_size: int = 10
    """Connections kept open to PostgreSQL; as many again may open under load."""
    ssl_require: bool = False
    """Refuse an unencrypted connection to PostgreSQL; the server's certificate is verified."""
    password_provider: Callable[[], str] | None = None
    """Called for each new connection: for passwords that expire, such as IAM tokens. May block; may
    not await.
    """
    schema: str | None = None
    """The PostgreSQL schema that holds the tables; the server's default where None."""
    pgbouncer: bool = False
    """Set behind PgBouncer in transaction mode: nothing is prepared on, or set for, a server
    connection.
    """
    write_lanes: int = 2
    """Transactions that write to PostgreSQL at once, each for threads of its own."""
    lock_timeout_seconds: float = 30.0
    """How long SQLite waits for another process's write before a transient error."""

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] = os.environ, **given: Any
    ) -> DatabaseSettings:
        """The settings, those ``given`` (and not None) before the environment's."""
        found: dict[str, Any] = {
            "url": environ.get("CHAINKEEP_DATABASE_URL") or DEFAULT_DATABASE_URL,
            "replica_url": environ.get("CHAINKEEP_DATABASE_REPLICA_URL") or None,
            "pool_size": env_number("CHAINKEEP_POOL_SIZE", 10, environ),
            "schema": environ.get("CHAINKEEP_SCHEMA") or None,
            "pgbouncer": env_flag("CHAINKEEP_PGBOUNCER", False, environ),
            "write_lanes": max(1, env_number("CHAINKEEP_WRITE_LANES", 2, environ)),
            "lock_timeout_seconds": env_number("CHAINKEEP_LOCK_TIMEOUT", 30, environ),
        }
        found.update({name: value for name, value in given.items() if value is not None})
        return cls(**found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a store needs to know."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    blobs: str = DEFAULT_BLOBS
    """Where attachments go: a directory, ``file:///…`` or
    ``s3://bucket/prefix?endpoint_url=…&region=…``.
    """
    spool: str = DEFAULT_SPOOL
    """A local directory for attachments that the bucket has not taken yet."""
    journal: str = DEFAULT_JOURNAL
    """A local directory for writes that the database has not taken yet."""
    auto_migrate: bool = True
    """Bring the database up to date on first use; where False, ``chainkeep migrate`` must have been
    run.
    """
    search_index: bool = True
    """Keep the search index in step in the background; where False, that is left to other
    processes.
    """
    direct_urls: bool = False
    """Hand out signed addresses of the blob store itself instead of the app's authenticated route.
    """
    cache_seconds: float = 5.0
    """How long a user, and who owns a thread, are told again without asking the database; 0 for
    never.
    """
    close_timeout_seconds: float = 20.0
    """How long ``close()`` may take to finish what was handed over."""
    write_queue: int = 10_000
    """How many writes wait for the database in the queue; whoever writes more waits for room."""

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        database: DatabaseSettings | None = None,
        **given: Any,
    ) -> Settings:
        """The settings, those ``given`` (and not None) before the environment's."""
        found: dict[str, Any] = {
            "database": database or DatabaseSettings.from_environment(environ),
            "blobs": environ.get("CHAINKEEP_BLOBS") or DEFAULT_BLOBS,
            "spool": environ.get("CHAINKEEP_SPOOL") or DEFAULT_SPOOL,
            "journal": environ.get("CHAINKEEP_JOURNAL") or DEFAULT_JOURNAL,
            "auto_migrate": env_flag("CHAINKEEP_AUTO_MIGRATE", True, environ),
            "search_index": env_flag("CHAINKEEP_SEARCH_INDEX", True, environ),
            "direct_urls": env_flag("CHAINKEEP_DIRECT_URLS", False, environ),
            "cache_seconds": env_number("CHAINKEEP_CACHE_SECONDS", 5, environ),
            "close_timeout_seconds": env_number("CHAINKEEP_CLOSE_TIMEOUT", 20, environ),
            "write_queue": max(1, env_number("CHAINKEEP_WRITE_QUEUE", 10_000, environ)),
        }
        found.update({name: value for name, value in given.items() if value is not None})
        return cls(**found)
