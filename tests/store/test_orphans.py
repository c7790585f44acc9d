"""Blobs without an element, and elements without their blob."""

from __future__ import annotations

import asyncio

from chainkeep.attachments import Content
from chainkeep.blobs.keys import element_key
from chainkeep.models import Element
from chainkeep.orphans import Orphans, delete_orphans, find_orphans
from chainkeep.store import Store


async def saved(store: Store, element_id: str) -> str:
    """An element with a blob; the blob's key."""
    element = Element(id=element_id, thread_id="t")
    await store.save_element(element, Content(source=element_id.encode()))
    return element_key("t", element_id)


async def test_what_belongs_together_is_no_orphan(store: Store) -> None:
    await saved(store, "a")
    await store.save_element(Element(id="link", thread_id="t", url="https://host/x"))
    assert await find_orphans(store) == Orphans(blobs=[], rows=[])


async def test_a_blob_that_no_element_names_is_found_and_deleted(store: Store) -> None:
    kept = await saved(store, "a")
    stray = element_key("t", "nobody")
    await store.blobs.put(stray, b"x", content_type="text/plain")
    found = await find_orphans(store)
    assert found == Orphans(blobs=[stray], rows=[])
    assert await delete_orphans(store, found) == 1
    assert await find_orphans(store) == Orphans(blobs=[], rows=[])
    assert (await store.blobs.info(kept)).size == 1


async def test_an_element_whose_blob_is_lost_is_found(store: Store) -> None:
    key = await saved(store, "a")
    await saved(store, "b")
    await store.blobs.delete([key])
    found = await find_orphans(store)
    assert [(row.id, row.thread_id, row.object_key) for row in found.rows] == [("a", "t", key)]
    assert found.blobs == []


async def test_what_is_on_its_way_is_no_orphan(store: Store) -> None:
    many = [asyncio.ensure_future(saved(store, str(number))) for number in range(50)]
    while not all(task.done() for task in many):
        assert (await find_orphans(store)).blobs == []
        await asyncio.sleep(0)
    assert await find_orphans(store) == Orphans(blobs=[], rows=[])


async def test_a_deleted_elements_blob_is_no_orphan(store: Store) -> None:
    await saved(store, "a")
    await store.delete_element("a", thread_id="t")
    assert (await find_orphans(store)).blobs == []
