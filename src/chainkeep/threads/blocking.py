"""The Thread API without ``await``, for scripts and notebooks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from inspect import iscoroutine, ismethod
from typing import Any, TypeVar

from typing_extensions import override

from chainkeep.paging import Page
from chainkeep.settings import Settings
from chainkeep.threads.attachments import Attachment
from chainkeep.threads.collection import Threads, open_threads
from chainkeep.threads.finding import Found
from chainkeep.threads.lists import NumberedPage
from chainkeep.threads.memory import remember
from chainkeep.threads.message import Message
from chainkeep.threads.thread import Thread
from chainkeep.threads.titles import WriteTitle, generate_title

__all__ = ["Blocking", "open_threads_blocking"]

T = TypeVar("T")
_WRAPPED = (Attachment, Message, Thread, Threads)


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="chainkeep-threads", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Blocking:
    """A value of the Thread API whose methods wait instead of being awaited."""

    def __init__(self, value: Any, loop: Loop) -> None:
        self._value = value
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)
        if ismethod(found):
            return _waiting(found, self._loop)
        return _wrapped(found, self._loop)

    @override
    def __repr__(self) -> str:
        return repr(self._value)

    def remember(self, **options: Any) -> list[dict[str, Any]]:
        """``chainkeep.threads.remember`` for this thread."""
        return self._loop.run(remember(self._value, **options))

    def generate_title(self, write: WriteTitle | None = None, **options: Any) -> str:
        """``chainkeep.threads.generate_title`` for this thread."""
        return self._loop.run(generate_title(self._value, write, **options))


def _waiting(method: Callable[..., Any], loop: Loop) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        given = {name: _bare(value) for name, value in options.items()}
        result = method(*map(_bare, args), **given)
        return _wrapped(loop.run(result) if iscoroutine(result) else result, loop)

    return call


def _bare(value: Any) -> Any:
    """What ``_wrapped`` was given: what was read can be written again."""
    if isinstance(value, Blocking):
        return value._value  # noqa: SLF001 - it is of this module
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _wrapped(value: Any, loop: Loop) -> Any:
    if isinstance(value, _WRAPPED):
        return Blocking(value, loop)
    if isinstance(value, list):
        return [_wrapped(item, loop) for item in value]
    if isinstance(value, Page):
        return replace(value, items=_wrapped(value.items, loop))
    if isinstance(value, Found):
        return replace(value, thread=_wrapped(value.thread, loop))
    if isinstance(value, NumberedPage):
        return replace(value, threads=_wrapped(value.threads, loop))
    return value


@contextmanager
def open_threads_blocking(
    source: str | Settings | None = None, **options: Any
) -> Iterator[Blocking]:
    """``open_threads``, with its options, for code that does not await: every method of what it
    gives, and of what those give, waits. Not for use inside an event loop, which it would block.
    """
    loop = Loop()
    opened = open_threads(source, **options)
    try:
        threads = loop.run(_entered(opened))
        try:
            yield Blocking(threads, loop)
        finally:
            loop.run(_left(opened))
    finally:
        loop.close()


async def _entered(opened: Any) -> Threads:
    threads: Threads = await opened.__aenter__()
    return threads


async def _left(opened: Any) -> None:
    await opened.__aexit__(None, None, None)
