"""What an app says before the user's first message, kept back until there is one.

A chat in which nobody said anything is no thread. Chainlit's own decorator for this keeps a queue
per method and plays them back method by method, while newer calls overtake them; here all calls
stay in the order they were made.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
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
    return Caller(
        thread_id=context.session.thread_id,
        identifier=user.identifier if user else None,
        user_id=getattr(user, "id", None),
    )


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

    async def through(self, handover: Callable[[], asyncio.Future[T]]) -> T | None:
        """Hand a write over and wait for it; None at once where it is held back.

        Everything up to the hand-over happens before the first await, so calls keep their order.
        """
        session = _current_session()
        if session is not None and not session.has_first_interaction:
            self._hold(session, handover)
            return None
        if session is not None:
            self._release(session)
        return await handover()

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
