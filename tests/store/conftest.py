"""Stores for the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from chainkeep import attachments
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.store.blobs import MemoryBlobs

OpenStore = Callable[..., Store]


@pytest.fixture
async def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
async def open_store(
    database_url: str, blobs: MemoryBlobs, tmp_path: Path
) -> AsyncIterator[OpenStore]:
    """Opens stores on one database and one blob store; closes them after the test."""
    opened: list[Store] = []

    def open_one(url: str = database_url, **options: Any) -> Store:
        settings = Settings(
            database=DatabaseSettings(url=url),
            journal=str(tmp_path / "journal"),
            close_timeout_seconds=options.pop("close_timeout_seconds", 10),
        )
        opened.append(Store(settings, blobs=options.pop("blobs", blobs), **options))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    """A store on a fresh database, once of each kind, and in-memory blobs."""
    return open_store()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removals of blobs are tried again after hundredths of a second."""
    monkeypatch.setattr(attachments, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(attachments, "_LONGEST_PAUSE", 0.02)
