"""What an app says before the user's first message, kept back until there is one.

A chat in which nobody said anything is no thread. Chainlit's own decorator for this keeps a queue
per method and plays them back method by method, while newer calls overtake them; here all calls
stay in the order they were made.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from chainlit.context import context_var
from chainlit.session import WebsocketSession

from chainkeep.models import Caller

__all__ = ["Hold", "current_caller", "own_thread"]

T = TypeVar("T")
Handover = Callable[[], "asyncio.Future[Any]"]

_QUEUE = "chainkeep"


def current_caller() -> Caller | None:
    """Whoever is behind the running code, by Chainlit's context; None outside any chat."""
    context = context_var.get(None)
    if context is None:
        return None
    user = context.session.user
    identifier = user.identifier if user else None
    return _caller(context.session.thread_id, identifier, getattr(user, "id", None))


# A chat says who is behind it with each step.
@lru_cache(maxsize=1000)
def _caller(thread_id: str | None, identifier: str | None, user_id: str | None) -> Caller:
    return Caller(thread_id=thread_id, identifier=identifier, user_id=user_id)


def own_thread(caller: Caller | None) -> str:
    """The thread that the caller is in, for what names none; empty outside any chat."""
    return caller.thread_id or "" if caller is not None else ""


def _current_session() -> WebsocketSession | None:
    context = context_var.get(None)
    session = context.session if context is not None else None
    return session if isinstance(session, WebsocketSession) else None


class Hold:
    """Hands writes over at once, or in their order when the user first speaks."""

    def __init__(self) -> None:
        self._held: WeakKeyDictionary[WebsocketSession, list[Handover]] = WeakKeyDictionary()

    def through(self, handover: Callable[[], asyncio.Future[T]]) -> Awaitable[T | None]:
        """Hand a write over, before anything is awaited, so that calls keep their order. What is
        returned waits for the write; it gives None at once where the write is held back.
        """
        session = _current_session()
        if session is not None and not session.has_first_interaction:
            self._hold(session, handover)
            return _nothing()
        if session is not None:
            self._release(session)
        return handover()

    def _hold(self, session: WebsocketSession, handover: Handover) -> None:
        self._held.setdefault(session, []).append(handover)
        # Chainlit plays its queues back after the first message: that is when ours is due at the
        # latest.
        if _QUEUE not in session.thread_queues:
            session.thread_queues[_QUEUE] = deque([(Hold._flush, self, (session,), {})])

    def _release(self, session: WebsocketSession) -> list[asyncio.Future[Any]]:
        return [handover() for handover in self._held.pop(session, ())]

    async def _flush(self, session: WebsocketSession) -> None:
        await asyncio.gather(*self._release(session), return_exceptions=True)


async def _nothing() -> None:
    """What is held back, for whoever waits."""
