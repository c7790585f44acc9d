"""Who is behind the HTTP request that is being answered.

Chainlit's feedback routes do not say who votes. But every authenticated request first asks the data
layer for its user, in the very task that then runs the endpoint; what is remembered there can be
read a few calls later.
"""

from __future__ import annotations

import asyncio
import weakref
from contextvars import ContextVar
from typing import Any

_Remembered = tuple["weakref.ref[asyncio.Task[Any]]", str]
_caller: ContextVar[_Remembered | None] = ContextVar("chainkeep_caller", default=None)


def remember_caller(identifier: str) -> None:
    """Note whose request is running: the first thing that ``get_user`` does, before any await."""
    task = asyncio.current_task()
    _caller.set((weakref.ref(task), identifier) if task else None)


def known_caller() -> str | None:
    """The identifier that was last remembered in this very task, or None.

    A context alone would not do: a server may start a connection's next request in a copy of the
    context of the one before, and the next request may be another user's.
    """
    remembered = _caller.get()
    if remembered is None or remembered[0]() is not asyncio.current_task():
        return None
    return remembered[1]
