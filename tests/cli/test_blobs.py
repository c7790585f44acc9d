"""`chainkeep blobs orphans`: what it prints, and what it deletes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chainkeep.attachments import Content
from chainkeep.blobs.keys import element_key
from chainkeep.cli import main
from chainkeep.db.journal import Journal
from chainkeep.db.records import Operation, to_record
from chainkeep.models import Element
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store

STRAY, LOST = element_key("t", "stray"), element_key("t", "lost")


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A store with a blob that no element names, and an element whose blob is lost."""
    settings = Settings(
        database=DatabaseSettings(url=database_url),
        blobs=str(tmp_path / "blobs"),
        journal=str(tmp_path / "journal"),
    )

    async def fill() -> None:
        store = Store(settings)
        for name in ("kept", "lost"):
            await store.save_element(Element(id=name, thread_id="t"), Content(source=b"x"))
        await store.blobs.put(STRAY, b"x", content_type="text/plain")
        await store.blobs.delete([LOST])
        await store.close()

    asyncio.run(fill())
    return settings


def typed(settings: Settings, *words: str) -> Result:
    environment: dict[str, Any] = {
        "CHAINKEEP_DATABASE_URL": settings.database.url,
        "CHAINKEEP_BLOBS": settings.blobs,
        "CHAINKEEP_JOURNAL": settings.journal,
    }
    return CliRunner().invoke(main, ["blobs", "orphans", *words], env=environment)


def test_orphans_are_listed_and_left_alone(settings: Settings) -> None:
    for _ in range(2):
        result = typed(settings)
        assert result.exit_code == 0, result.output
        assert f"{STRAY}  blob without element\n" in result.output
        assert f"{LOST}  missing blob of element lost\n" in result.output
        assert "1 blobs without element, 1 missing blobs." in result.output


def test_orphans_are_deleted_on_request(settings: Settings) -> None:
    row = {"object_key": LOST, "id": "lost", "thread_id": "t"}
    deleted = json.loads(typed(settings, "--delete", "--json").output)
    assert deleted == {"blobs": [STRAY], "rows": [row], "deleted": 1}
    assert json.loads(typed(settings, "--json").output) == {
        "blobs": [], "rows": [row], "deleted": 0,
    }  # fmt: skip


def test_nothing_is_deleted_while_writes_wait_in_the_journal(settings: Settings) -> None:
    journal = Journal(Path(settings.journal))
    journal.append([to_record("t", Operation("delete_thread", {"thread_id": "t"}))])
    journal.close()
    result = typed(settings, "--delete")
    assert result.exit_code == 1
    assert "chainkeep journal replay" in result.output
    assert STRAY in typed(settings).output
