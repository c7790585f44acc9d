"""What the figures hold for: versions, the machine, and how long its disk takes to be sure."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import asyncpg

from benchmarks.measure import percentile
from tests.support.postgres import PostgresDatabases

__all__ = ["Surroundings", "surroundings"]

_PACKAGES = ("chainkeep", "chainlit", "sqlalchemy", "aiosqlite", "asyncpg")
_SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Versions and machine."""

    when: str
    versions: dict[str, str]
    machine: dict[str, str]
    postgresql: dict[str, str]
    """What the server says of itself; empty where there is none."""
    sync_ms: float
    """How long 4 kB take to reach the disk: the median of 50."""


async def surroundings(home: Path, server: PostgresDatabases | None) -> Surroundings:
    """As it is now."""
    versions = {name: version(name) for name in _PACKAGES}
    machine = {
        "cpus": str(os.cpu_count()),
        "load": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    return Surroundings(
        when=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        versions={
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **versions,
        },
        machine=machine,
        postgresql=await _settings(server) if server else {},
        sync_ms=1000 * percentile([_sync(home / "sync") for _ in range(50)], 0.5),
    )


async def _settings(server: PostgresDatabases) -> dict[str, str]:
    connection = await asyncpg.connect(server.dsn())
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in _SETTINGS}
    finally:
        await connection.close()


def _sync(path: Path) -> float:
    with path.open("ab") as file:
        file.write(bytes(4096))
        file.flush()
        began = time.perf_counter()
        os.fdatasync(file.fileno())
        return time.perf_counter() - began
