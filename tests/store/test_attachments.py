"""The blobs of elements: there when the row is there, and gone when it is gone."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from chainkeep.attachments import Content
from chainkeep.blobs.keys import element_key
from chainkeep.db import queries
from chainkeep.db.database import open_database
from chainkeep.errors import BlobError, ConflictError
from chainkeep.models import Caller, Element, Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from chainkeep.values import utc_now
from tests.db.faults import held_by_another_process
from tests.store.blobs import MemoryBlobs
from tests.store.conftest import OpenStore
from tests.support.waiting import eventually

KEY = element_key("t", "e")
CONTENT = Content(source=b"the bytes", content_type="text/plain")


def element(element_id: str = "e", thread_id: str = "t", **fields: Any) -> Element:
    return Element(id=element_id, thread_id=thread_id, name="notes.txt", **fields)


async def requested(url: str) -> list[str]:
    """The blobs that are still listed for removal."""
    database = open_database(DatabaseSettings(url=url))
    try:
        return await database.read(lambda c: queries.blob_deletion_requests(c, count=100))
    finally:
        await database.close()


async def removed(blobs: MemoryBlobs) -> None:
    async def empty() -> bool:
        return not blobs.content

    await eventually(empty)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """There is a directory in a file's place."""
    hidden = path.rename(path.with_suffix(".hidden"))
    path.mkdir()
    yield
    path.rmdir()
    hidden.rename(path)


async def eventually_retried(store: Store) -> None:
    async def retried() -> bool:
        return store.health().retries > 0

    await eventually(retried)


async def nothing_requested(url: str) -> None:
    async def none_left() -> bool:
        return not await requested(url)

    await eventually(none_left)


# Saved


async def test_when_an_element_is_saved_its_row_and_its_blob_are_there(
    store: Store, blobs: MemoryBlobs
) -> None:
    assert await store.save_element(element(), CONTENT)
    saved = await store.get_element("e", thread_id="t")
    assert saved is not None
    assert saved.object_key == KEY
    assert blobs.content == {KEY: b"the bytes"}


async def test_an_element_is_not_saved_before_the_blob_store_has_its_bytes(
    store: Store, blobs: MemoryBlobs
) -> None:
    blobs.go_on.clear()
    saving = store.save_element(element(), CONTENT)
    await blobs.putting.wait()
    assert await store.get_element("e") is not None
    assert not saving.done()
    blobs.go_on.set()
    assert await saving


async def test_other_writes_do_not_wait_for_a_slow_blob_store(
    store: Store, blobs: MemoryBlobs
) -> None:
    blobs.go_on.clear()
    saving = store.save_element(element(), CONTENT)
    await blobs.putting.wait()
    assert await store.update_thread("t", name="written meanwhile")
    blobs.go_on.set()
    await saving


async def test_an_element_without_bytes_touches_no_blob(store: Store, blobs: MemoryBlobs) -> None:
    assert await store.save_element(element(url="https://example.org/a.png"))
    assert blobs.tried == []


async def test_a_blob_store_that_refuses_is_heard_of(
    store: Store, blobs: MemoryBlobs, caplog: pytest.LogCaptureFixture
) -> None:
    blobs.fault = BlobError("the disk is full")
    with pytest.raises(BlobError, match="full"):
        await store.save_element(element(), CONTENT)
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert KEY in record.getMessage()
    assert "full" in record.getMessage()


# Deleted


async def test_a_blob_goes_with_its_element(
    store: Store, blobs: MemoryBlobs, database_url: str
) -> None:
    await store.save_element(element(), CONTENT)
    await store.delete_element("e")
    await removed(blobs)
    await nothing_requested(database_url)


async def test_the_blobs_of_all_elements_below_a_step_go_with_it(
    store: Store, blobs: MemoryBlobs
) -> None:
    await store.create_step(Step(id="run", thread_id="t", created_at=utc_now()))
    await store.create_step(Step(id="said", thread_id="t", parent_id="run", created_at=utc_now()))
    await store.save_element(element("e1", for_id="run"), CONTENT)
    await store.save_element(element("e2", for_id="said"), CONTENT)
    await store.save_element(element("other"), CONTENT)
    await store.delete_step("run")

    async def one_left() -> bool:
        return len(blobs.content) == 1

    await eventually(one_left)
    assert set(blobs.content) == {element_key("t", "other")}


async def test_the_blobs_of_a_thread_go_with_it(store: Store, blobs: MemoryBlobs) -> None:
    for number in range(3):
        await store.save_element(element(f"e{number}"), CONTENT)
    await store.save_element(element("kept", thread_id="u"), CONTENT)
    await store.delete_thread("t")

    async def one_left() -> bool:
        return len(blobs.content) == 1

    await eventually(one_left)
    assert set(blobs.content) == {element_key("u", "kept")}


async def test_a_blob_goes_after_the_deletion_of_its_row_is_committed(
    store: Store, open_store: OpenStore, blobs: MemoryBlobs
) -> None:
    other, found = open_store(), list[Element | None]()

    async def look() -> None:
        found.append(await other.get_element("e"))

    blobs.before_delete = look
    await store.save_element(element(), CONTENT)
    await store.delete_element("e")
    await removed(blobs)
    assert found == [None]


async def test_a_deletion_that_is_refused_leaves_the_blob(store: Store, blobs: MemoryBlobs) -> None:
    owner = Caller(thread_id="t", identifier="ada")
    await store.create_step(Step(id="s", thread_id="t", created_at=utc_now()), caller=owner)
    await store.save_element(element(), CONTENT, caller=owner)
    with pytest.raises(ConflictError):
        await store.delete_element("e", caller=Caller(thread_id="u", identifier="eve"))
    await store.drain()
    assert blobs.content == {KEY: b"the bytes"}
    assert blobs.deletions() == 0


async def test_a_deletion_that_overtakes_the_upload_leaves_nothing_behind(
    store: Store, blobs: MemoryBlobs
) -> None:
    blobs.go_on.clear()
    saving = store.save_element(element(), CONTENT)
    await blobs.putting.wait()
    await store.delete_element("e")
    blobs.go_on.set()
    await saving
    await removed(blobs)
    assert await store.get_element("e") is None


TWO_RUNS = """
import asyncio, sys
from chainkeep.attachments import Content
from chainkeep.models import Element
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store

database, home = DatabaseSettings(url=sys.argv[1]), sys.argv[2]
store = Store(Settings(database=database, journal=f"{home}/j", blobs=f"{home}/b"))

async def come_and_go(thread_id):
    await store.save_element(Element(id="e", thread_id=thread_id), Content(source=b"bytes"))
    await store.delete_thread(thread_id)

async def second():
    await come_and_go("second")
    await store.close()

asyncio.run(come_and_go("first"))
asyncio.run(second())
"""


def test_a_script_that_ends_one_loop_removes_its_blobs_in_the_next(
    database_url: str, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-c", TWO_RUNS, database_url, str(tmp_path)], check=True)
    assert [path for path in Path(tmp_path, "b").rglob("*") if path.is_file()] == []


# A blob store that is away


@pytest.mark.usefixtures("impatient")
async def test_a_removal_is_tried_again_while_the_blob_store_is_away(
    store: Store, blobs: MemoryBlobs, database_url: str
) -> None:
    await store.save_element(element(), CONTENT)
    blobs.away()
    await store.delete_element("e")

    async def tried_again() -> bool:
        return blobs.deletions() >= 3

    await eventually(tried_again)
    assert await requested(database_url) == [KEY]
    blobs.back()
    await removed(blobs)
    await nothing_requested(database_url)


@pytest.mark.usefixtures("impatient")
async def test_a_removal_is_finished_once_the_database_is_back(
    make_sqlite: Callable[[bool], str], blobs: MemoryBlobs, tmp_path: Path
) -> None:
    url = make_sqlite(True)
    settings = Settings(
        database=DatabaseSettings(url=url, lock_timeout_seconds=0.1), journal=str(tmp_path)
    )
    store = Store(settings, blobs=blobs, write_retry_seconds=0.1)
    await store.save_element(element(), CONTENT)
    with ExitStack() as away:

        async def go_away() -> None:
            if blobs.deletions() == 1:
                away.enter_context(held_by_another_process(url))

        async def tried_again() -> bool:
            return blobs.deletions() >= 2

        blobs.before_delete = go_away
        await store.delete_element("e")
        await eventually(tried_again)
        assert await requested(url) == [KEY]
    await nothing_requested(url)
    await store.close()


@pytest.mark.usefixtures("impatient")
async def test_what_was_left_is_removed_although_the_database_is_away_at_first(
    make_sqlite: Callable[[bool], str], blobs: MemoryBlobs, tmp_path: Path
) -> None:
    url = make_sqlite(True)
    path = Path(str(make_url(url).database))
    blobs.content[KEY] = b"left behind"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO blob_deletions VALUES (?, '2026-01-01T00:00:00.000000Z')", (KEY,)
        )
    store = Store(Settings(database=DatabaseSettings(url=url), journal=str(tmp_path)), blobs=blobs)
    with unreadable(path):
        renaming = asyncio.ensure_future(store.update_thread("u", name="anything"))
        await eventually_retried(store)
    await renaming
    await removed(blobs)
    await store.close()


async def test_closing_does_not_wait_for_a_blob_store_that_is_away(
    open_store: OpenStore, blobs: MemoryBlobs, database_url: str
) -> None:
    store = open_store(close_timeout_seconds=60)
    await store.save_element(element(), CONTENT)
    blobs.away()
    await store.delete_element("e")

    async def tried() -> bool:
        return blobs.deletions() == 1

    await eventually(tried)
    await asyncio.wait_for(store.close(), 30)
    assert await requested(database_url) == [KEY]


async def test_what_one_process_could_not_remove_the_next_one_does(
    open_store: OpenStore, blobs: MemoryBlobs, database_url: str
) -> None:
    first = open_store(close_timeout_seconds=0.1)
    await first.save_element(element(), CONTENT)
    blobs.away()
    await first.delete_element("e")
    await first.close()
    assert await requested(database_url) == [KEY]

    blobs.back()
    second = open_store()
    await second.update_thread("u", name="anything")
    await removed(blobs)
    await nothing_requested(database_url)


async def test_a_removal_that_is_refused_stays_listed_and_is_logged(
    store: Store, blobs: MemoryBlobs, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store.save_element(element(), CONTENT)
    blobs.fault = BlobError("access denied")
    await store.delete_element("e")

    async def logged() -> bool:
        return "access denied" in caplog.text

    await eventually(logged)
    assert await requested(database_url) == [KEY]


async def test_closing_waits_for_the_removals(
    open_store: OpenStore, blobs: MemoryBlobs, database_url: str
) -> None:
    store = open_store()
    await store.save_element(element(), CONTENT)
    await store.delete_element("e")
    await store.close()
    assert blobs.content == {}
    assert await requested(database_url) == []
    assert blobs.closed == 1


# Refused, too late, and sent again


async def test_the_bytes_of_an_element_that_is_refused_are_never_stored(
    store: Store, blobs: MemoryBlobs
) -> None:
    owner = Caller(thread_id="t", identifier="ada")
    await store.create_step(Step(id="s", thread_id="t", created_at=utc_now()), caller=owner)
    with pytest.raises(ConflictError):
        await store.save_element(element(), CONTENT, caller=Caller(thread_id="u", identifier="eve"))
    await store.drain()
    assert blobs.tried == []


async def test_an_element_that_another_thread_has_keeps_its_blob(
    store: Store, blobs: MemoryBlobs
) -> None:
    await store.save_element(element(), CONTENT)
    with pytest.raises(ConflictError):
        await store.save_element(element(thread_id="u"), Content(source=b"forged"))
    await store.drain()
    assert blobs.content == {KEY: b"the bytes"}


async def test_an_element_that_comes_after_its_deletion_leaves_no_blob(
    store: Store, blobs: MemoryBlobs
) -> None:
    await store.save_element(element(), CONTENT)
    await store.delete_element("e")
    await removed(blobs)
    assert not await store.save_element(element(), CONTENT)
    assert blobs.content == {}


async def test_an_element_that_is_sent_again_comes_back_with_its_blob(
    store: Store, blobs: MemoryBlobs, database_url: str
) -> None:
    await store.save_element(element(), CONTENT)
    await store.delete_element("e")
    assert await store.save_element(element(), Content(source=b"newer"), revive=True)
    await store.drain()
    await nothing_requested(database_url)
    assert blobs.content == {KEY: b"newer"}
    assert await store.get_element("e") is not None


@pytest.mark.usefixtures("impatient")
async def test_a_removal_that_waits_spares_an_element_that_was_sent_again(
    store: Store, blobs: MemoryBlobs, database_url: str
) -> None:
    await store.save_element(element(), CONTENT)
    blobs.away()
    await store.delete_element("e")
    saving = store.save_element(element(), revive=True)
    await saving
    blobs.back()
    await store.save_element(element(), Content(source=b"newer"), revive=True)
    await nothing_requested(database_url)
    assert blobs.content == {KEY: b"newer"}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_an_element_that_is_sent_again_while_its_old_blob_is_removed_keeps_the_new_one(
    store: Store, blobs: MemoryBlobs, database_url: str
) -> None:
    await store.save_element(element(), CONTENT)
    blobs.away()
    await store.delete_element("e")
    blobs.back()
    assert await store.save_element(element(), Content(source=b"newer"), revive=True)
    await nothing_requested(database_url)
    await store.drain()
    assert blobs.content == {KEY: b"newer"}


async def test_who_reads_an_element_waits_for_bytes_that_are_on_their_way(
    store: Store, blobs: MemoryBlobs
) -> None:
    blobs.go_on.clear()
    saving = store.save_element(element(), CONTENT)
    reading = asyncio.ensure_future(store.blob_arrived(KEY))
    await blobs.putting.wait()
    assert not reading.done()
    blobs.go_on.set()
    await reading
    assert blobs.content == {KEY: b"the bytes"}
    await saving


async def test_nobody_waits_for_bytes_that_could_not_be_stored(
    store: Store, blobs: MemoryBlobs
) -> None:
    blobs.fault = BlobError("no room")
    saving = store.save_element(element(), CONTENT)
    await store.blob_arrived(KEY)
    with pytest.raises(BlobError):
        await saving
