"""An app that talks, and notes what it was told is kept: ``python talk.py ORDERS``.

ORDERS is JSON, as ``Orders`` has it. It talks until its standard input ends, closes its store, and
exits; or until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from chainkeep import values
from chainkeep.attachments import Content
from chainkeep.db import journal
from chainkeep.models import Caller, Element, Step
from chainkeep.settings import DatabaseSettings, Settings
from chainkeep.store import Store
from tests.support.ledger import DELETED, MADE, UPDATED, Ledger, Note, last_version

MOMENT = "2026-01-01T00:00:00.000000Z"
"""When every step was made: so their order is that in which they were handed over, and no other."""
PAUSE = 0.003
ATTACHED = -1
"""Stands for a version where something was attached to a step."""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What an app is to do."""

    home: str
    """Holds the ledger, the journal and what else is kept."""
    database: dict[str, Any]
    """``DatabaseSettings``."""
    name: str = "0"
    """Begins the names of its threads."""
    threads: int = 4
    in_flight: int = 12
    """How many writes of a thread are not acknowledged at once; 0 awaits each."""
    attachments: bool = False
    """Whether it attaches something to every step."""
    blobs: str = ""
    patience: float = 0.3
    """Seconds before a write that the database does not take goes to the journal."""
    closes: bool = True
    """Whether it closes its store in the end."""
    set_back: bool = False
    """Whether its clock is set back by an hour each time that it is looked at."""
    thread_ids: list[str] = field(default_factory=list)
    """Set from ``name`` and ``threads``."""

    def __post_init__(self) -> None:
        self.thread_ids[:] = [f"{self.name}-{number}" for number in range(self.threads)]

    def as_json(self) -> str:
        return json.dumps(asdict(self))


def open_store(orders: Orders) -> Store:
    """The store that an app with these orders has."""
    settings = Settings(
        database=DatabaseSettings(**orders.database),
        blobs=orders.blobs or f"{orders.home}/blobs",
        spool=f"{orders.home}/spool",
        journal=f"{orders.home}/journal",
        close_timeout_seconds=2,
    )
    return Store(settings, write_retry_seconds=orders.patience)


def content_of(thread_id: str, number: int) -> bytes:
    """What is attached to a step."""
    return f"{thread_id}/{number} ".encode() * (number % 50 * 100 + 1)


def writes(
    store: Store, thread_id: str, number: int, attachments: bool
) -> Iterator[tuple[int, asyncio.Future[Any]]]:
    """Hand over a step in all its versions, each when it is asked for."""
    caller = Caller(thread_id, "ada")

    def step(version: int) -> Step:
        return Step(
            id=f"{thread_id}.{number}",
            thread_id=thread_id,
            created_at=MOMENT,
            name=str(number),
            output=str(version),
        )

    yield MADE, store.create_step(step(MADE), caller=caller)
    for version in range(MADE + 1, UPDATED + 1):
        yield version, store.update_step(step(version), given=["output"], caller=caller)
    if last_version(number) == DELETED:
        yield DELETED, store.delete_step(f"{thread_id}.{number}", caller=caller)
    elif attachments:
        element = Element(
            id=f"e.{thread_id}.{number}", thread_id=thread_id, for_id=f"{thread_id}.{number}"
        )
        content = Content(source=content_of(thread_id, number))
        yield ATTACHED, store.save_element(element, content, caller=caller)


async def talk(store: Store, thread_id: str, ledger: Ledger, orders: Orders) -> None:
    """Hand over one step after the other, some of them before the first is acknowledged."""
    in_flight: set[asyncio.Future[Any]] = set()
    for number in count(1):
        for version, write in writes(store, thread_id, number, orders.attachments):
            write.add_done_callback(partial(_note, ledger, Note(thread_id, number, version)))
            in_flight.add(write)
            write.add_done_callback(in_flight.discard)
            while len(in_flight) > orders.in_flight:
                await asyncio.wait(list(in_flight), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(PAUSE)


def _note(ledger: Ledger, note: Note, write: asyncio.Future[Any]) -> None:
    if not write.cancelled():
        exc = write.exception()
        ledger.write(note if exc is None else note._replace(error=type(exc).__name__))


class BrokenClock:
    """Goes back by an hour each time that it is looked at."""

    def __init__(self) -> None:
        self._hours = count()

    def time_ns(self) -> int:
        return time.time_ns() - next(self._hours) * 3600 * 10**9


async def main(orders: Orders) -> None:
    if orders.set_back:
        vars(values)["time"] = vars(journal)["time"] = BrokenClock()
    store, ledger = open_store(orders), Ledger(Path(orders.home, "ledger"))
    talks = [
        asyncio.ensure_future(talk(store, thread_id, ledger, orders))
        for thread_id in orders.thread_ids
    ]
    await asyncio.to_thread(sys.stdin.read)
    for each in talks:
        each.cancel()
    if orders.closes:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(Orders(**json.loads(sys.argv[1]))))
