"""Blobs that no element names, and elements whose blob is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from chainkeep.blobs.keys import is_key
from chainkeep.db import attachment_queries, queries
from chainkeep.db.attachment_queries import BlobRow
from chainkeep.errors import BlobNotFoundError
from chainkeep.paging import portions
from chainkeep.store import Store

__all__ = ["Orphans", "delete_orphans", "find_orphans"]

_PORTION = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphans:
    """What does not belong together; sorted by key."""

    blobs: list[str]
    """Keys of blobs that no element names, apart from those that are about to be removed anyway."""
    rows: list[BlobRow]
    """Elements whose blob is not in the store: it is lost, or on its way from another machine."""


async def find_orphans(store: Store) -> Orphans:
    """Compare the blob store with the database. Deletes nothing; holds every key in memory.

    Nothing that is being written meanwhile is called an orphan: an element's row is there before
    its blob. ``BlobError`` for a store that cannot list its blobs.
    """
    await store.settled()
    keys = store.blobs.keys()
    there = {key async for key in keys if is_key(key)}
    named: set[str] = set()
    missing: list[BlobRow] = []
    after = ""
    while rows := await store.snapshot(
        partial(attachment_queries.blob_rows, after=after, count=_PORTION)
    ):
        after = rows[-1].object_key
        named.update(row.object_key for row in rows)
        missing += [row for row in rows if row.object_key not in there]
    lost = [row for row in missing if not await _is_there(store, row.object_key)]
    return Orphans(blobs=await _unwanted(store, sorted(there - named)), rows=lost)


async def delete_orphans(store: Store, orphans: Orphans) -> int:
    """Delete the blobs that no element names; how many."""
    for keys in portions(orphans.blobs, _PORTION):
        await store.blobs.delete(keys)
    return len(orphans.blobs)


async def _is_there(store: Store, key: str) -> bool:
    """Whether a blob has come since the store was listed, or has a name that is not ours."""
    try:
        await store.blobs.info(key)
    except BlobNotFoundError:
        return False
    return True


async def _unwanted(store: Store, keys: Sequence[str]) -> list[str]:
    """Without those that are noted for removal, or were just removed."""
    noted: set[str] = set()
    for portion in portions(keys, _PORTION):
        noted.update(
            await store.snapshot(partial(queries.blob_deletions_wanted, object_keys=portion))
        )
    return [key for key in keys if key not in noted and await _is_there(store, key)]
