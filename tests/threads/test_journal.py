"""What the journal keeps of the Thread API's writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chainkeep.db import units
from chainkeep.db.database import open_database
from chainkeep.db.records import Operation, from_record, to_record
from chainkeep.errors import TransientStorageError
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.threads import Draft, Thread, open_threads
from tests.support.postgres import PostgresServer, postgres_servers
from tests.support.waiting import eventually


async def test_a_message_is_posted_from_the_journal(settings: Settings, thread: Thread) -> None:
    draft = Draft(role="user", content=[{"type": "text", "text": "hi \0"}], private=True)
    row = draft.binds(strict=False, ui_runs=True, same_turn=False)
    arguments = {"thread_id": thread.id, "position": 1, "messages": [row]}
    record = to_record(thread.id, Operation("post_messages", arguments))
    key, work = from_record(record)
    database = open_database(settings.database)
    for _ in range(2):  # a write whose outcome is unknown is tried again
        await database.write(lambda connection: units.run(connection, [work]))
    await database.close()
    [found] = await thread.messages()
    assert (key, found.text, found.private) == (thread.id, "hi \0", True)


async def test_a_copy_that_is_tried_again_is_one(settings: Settings, thread: Thread) -> None:
    await thread.add_message("user", "hi")
    arguments = {
        "thread_id": thread.id, "new_id": "copy", "new_user_id": "u", "name": None,
        "created_at": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip
    work = Operation("copy_thread", arguments)
    database = open_database(settings.database)
    for _ in range(2):
        await database.write(lambda connection: units.run(connection, [work]))
    await database.close()
    assert [message.text for message in await replace(thread, id="copy").messages()] == ["hi"]


async def test_what_is_posted_while_the_database_is_away_is_there_when_it_is_back(
    tmp_path: Path,
) -> None:
    with PostgresServer(postgres_servers()[0]) as server:
        settings = Settings(
            database=DatabaseSettings(url=server.url(await server.acreate_database())),
            blobs=str(tmp_path / "blobs"),
            journal=str(tmp_path / "journal"),
            close_timeout_seconds=1,
        )
        store = Store(settings, write_retry_seconds=0.0)
        async with open_threads(store) as threads:
            thread, gone = await threads.create(), await threads.create()
            await thread.add_message("user", "before")
            server.stop("immediate")
            await thread.add_message("assistant", "while", images=[b"\x89PNG\r\n\x1a\n"])
            first = await threads.add_message("user", "a new thread")
            assert await gone.delete(hard=True)
            for refused in (thread.update(name="x"), thread.delete(), thread.messages()):
                with pytest.raises(TransientStorageError):
                    await refused
            server.start()

            async def is_back() -> bool:
                try:
                    return len(await thread.messages()) == 2
                except TransientStorageError:
                    return False

            await eventually(is_back)
            _, kept = await thread.messages()
            assert (kept.text, len(await kept.attachments[0].read())) == ("while", 8)
            assert await threads.get(gone.id) is None
            made = await threads.get(first.thread_id)
            assert made is not None
            assert made.name == "a new thread"
        await store.close()
