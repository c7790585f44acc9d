"""The workloads that write: turns of chats, uploads, deletions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from chainlit.element import File

from benchmarks.chat import ANSWER, Turn
from benchmarks.measure import Call, Sample, timed
from benchmarks.peers import Layer
from benchmarks.subject import Subject

__all__ = ["awaited_turn", "chat_turns", "deletions", "fired_turn", "upload", "uploads"]

Play = Callable[[Layer, Turn], Coroutine[Any, Any, None]]

_CONTENT = b"A line of a file that somebody sent and wants to find again, whole. " * 1430


async def awaited_turn(layer: Layer, turn: Turn) -> None:
    """Five writes, each awaited."""
    await layer.create_step(turn.question())
    await layer.create_step(turn.run())
    await layer.create_step(turn.answer())
    await layer.update_step(turn.answer(ANSWER))
    await layer.update_step(turn.run(ANSWER))


async def fired_turn(layer: Layer, turn: Turn) -> None:
    """Five writes as Chainlit makes them, tasks that nobody waits for; then all have to be done."""
    writes = [
        layer.create_step(turn.question()),
        layer.create_step(turn.run()),
        layer.create_step(turn.answer()),
        layer.update_step(turn.answer(ANSWER)),
        layer.update_step(turn.run(ANSWER)),
    ]
    await asyncio.gather(*map(asyncio.ensure_future, writes))


async def chat_turns(
    subject: Subject, seconds: float, *, play: Play, chats: int, before: float = 0
) -> Sample:
    """So many chats at once, one turn after the other in each; what is said for so many seconds
    before does not count.
    """
    threads = await subject.new_threads(chats)
    if before:
        await timed([_turns(subject, play, thread, "before") for thread in threads], before)
    label = subject.label()
    sample = await timed([_turns(subject, play, thread, label) for thread in threads], seconds)
    rows, updated = await subject.check("written", name=label, output=ANSWER)
    turns = len(sample.times)
    if rows < 3 * turns:
        sample.blame(f"lost {3 * turns - rows} of {3 * turns} steps")
    elif updated < 2 * turns:
        sample.blame(f"lost {2 * turns - updated} of {2 * turns} updates")
    return sample


def _turns(subject: Subject, play: Play, thread_id: str, label: str) -> Iterator[Call]:
    subject.enter_chat(thread_id)
    while True:
        yield partial(play, subject.layer, Turn(thread_id, label))


async def uploads(subject: Subject, seconds: float) -> Sample:
    """Files of 100 kB, one after the other, to local disk."""
    label = subject.label()
    [thread_id] = await subject.new_threads(1)
    turn = Turn(thread_id, label)
    await subject.layer.create_step(turn.question())
    before = _stored_bytes(subject)
    sample = await timed([_uploads(subject, turn)], seconds)
    [elements] = await subject.check("uploaded", name=label)
    expected = len(sample.times)
    if elements != expected:
        sample.blame(f"lost {expected - elements} of {expected} elements")
    if _stored_bytes(subject) - before < expected * len(_CONTENT):
        sample.blame("lost bytes of files")
    return sample


def _uploads(subject: Subject, turn: Turn) -> Iterator[Call]:
    subject.enter_chat(turn.thread_id)
    while True:
        yield partial(subject.layer.create_element, upload(turn))


def upload(turn: Turn) -> File:
    """A file of 100 kB that belongs to the turn's question."""
    return File(
        thread_id=turn.thread_id,
        name=turn.label,
        content=_CONTENT,
        for_id=turn.question_id,
        mime="text/plain",
    )


def _stored_bytes(subject: Subject) -> int:
    files = (path for path in subject.place.home.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if "history.db" not in path.name)


async def deletions(subject: Subject, seconds: float) -> Sample:
    """Threads of 200 steps and 20 elements, a share of them in each round."""
    share = subject.seed.scale.deletions // (2 * subject.seed.scale.rounds)
    targets = [next(subject.deletable) for _ in range(max(1, share))]
    calls = [partial(subject.layer.delete_thread, thread_id) for thread_id in targets]
    sample = await timed([calls], seconds)
    for thread_id in targets[: len(sample.times)]:
        [remaining] = await subject.check("remains", thread_id=thread_id)
        sample.blame(f"left {remaining} rows of a thread" if remaining else None)
    return sample
