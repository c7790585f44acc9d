"""Waiting for what happens in the background, without guessing how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
    """Return as soon as ``holds()`` does; fail after ``seconds``."""

    async def poll() -> None:
        while not await holds():
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), seconds)
