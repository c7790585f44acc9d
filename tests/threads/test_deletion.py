"""A thread that is deleted for good takes all that is in it along, and nothing of another's."""

from __future__ import annotations

from typing import TypeVar

import pytest

from chainkeep.attachments import Content
from chainkeep.db.database import Work
from chainkeep.db.up_to_date import UpToDateDatabase
from chainkeep.errors import NotFoundError
from chainkeep.models import Element, Feedback, Step
from chainkeep.scope import Scope
from chainkeep.store import Store
from chainkeep.threads import Role, Thread, Threads

T = TypeVar("T")
ROWS = """
SELECT 'steps' AS name, COUNT(*) AS n FROM steps
UNION ALL SELECT 'elements', COUNT(*) FROM elements
UNION ALL SELECT 'feedbacks', COUNT(*) FROM feedbacks
UNION ALL SELECT 'reactions', COUNT(*) FROM reactions
UNION ALL SELECT 'message_summaries', COUNT(*) FROM message_summaries
UNION ALL SELECT 'thread_roles', COUNT(*) FROM thread_roles
UNION ALL SELECT 'thread_facts', COUNT(*) FROM thread_facts
"""


async def filled(threads: Threads, store: Store, name: str) -> Thread:
    """A thread with something of everything; one of its votes came before its step."""
    thread = await threads.create(name, attributes={"a": 1})
    message = await thread.add_message("user", "hi")
    await message.summarize("a greeting")
    await message.add_reaction("+1", "ada")
    await thread.add_role(Role(name="critic"))
    element = Element(id=f"e {name}", thread_id=thread.id, for_id=message.id, type="image")
    await store.save_element(element, Content(source=b"png"))
    await store.save_feedback(Feedback(id=f"v {name}", for_id=message.id, value=1))
    early = f"early {name}"
    await store.save_feedback(Feedback(id=f"v {early}", for_id=early, value=0))
    at = "2026-01-01T00:00:00.000000Z"
    await store.create_step(Step(id=early, thread_id=thread.id, created_at=at))
    return thread


async def counted(store: Store) -> dict[str, int]:
    rows = await store.execute(ROWS, {})
    assert not isinstance(rows, int)
    return {row["name"]: row["n"] for row in rows}


async def test_a_thread_goes_with_all_that_is_in_it(threads: Threads, store: Store) -> None:
    kept = await filled(threads, store, "kept")
    before = await counted(store)
    assert min(before.values()) > 0
    gone = await filled(threads, store, "gone")
    await gone.delete(hard=True)
    assert await counted(store) == before
    messages = await kept.messages()
    assert [await message.reactions() for message in messages if message.text == "hi"] == [
        {"+1": ["ada"]}
    ]


@pytest.fixture
def twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write is done twice, as where the answer to its commit was lost."""
    run = UpToDateDatabase.write

    async def write(self: UpToDateDatabase, work: Work[T]) -> T:
        await run(self, work)
        return await run(self, work)

    monkeypatch.setattr(UpToDateDatabase, "write", write)


@pytest.mark.usefixtures("twice")
@pytest.mark.parametrize("hard", [True, False], ids=["for good", "for now"])
async def test_a_deletion_whose_answer_was_lost_is_no_deletion_of_nothing(
    threads: Threads, hard: bool
) -> None:
    mine = threads.within(Scope(user="ada"))
    thread = await mine.create("gone")
    assert await thread.delete(hard=hard)
    assert await threads.get(thread.id) is None
    with pytest.raises(NotFoundError):
        await thread.delete(hard=hard)
