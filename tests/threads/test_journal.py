"""What the journal keeps of the Thread API's writes."""

from __future__ import annotations

from dataclasses import replace

from chainkeep.db import units
from chainkeep.db.database import open_database
from chainkeep.db.records import Operation, from_record, to_record
from chainkeep.settings import Settings
from chainkeep.threads import Draft, Thread


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
