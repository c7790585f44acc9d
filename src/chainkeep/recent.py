"""What was read a moment ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Recent"]

T = TypeVar("T")


class Recent(Generic[T]):
    """Keeps values by name for some seconds, the newest few thousand of them.

    A value that was being read while its name was forgotten is not kept: it may be the old one.
    """

    def __init__(
        self, seconds: float, *, most: int = 4096, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """With 0 ``seconds`` nothing is kept."""
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[str, tuple[float, T]] = {}
        self._reading: dict[str, object] = {}

    def get(self, name: str) -> T | None:
        """The value that is kept, if any."""
        until, value = self._kept.get(name, (0.0, None))
        return value if self._clock() < until else None

    def reading(self, name: str) -> object:
        """Say that a value is about to be read; what this returns goes to ``keep``."""
        if len(self._reading) >= self._most:  # of reads that failed
            self._reading.clear()
        self._reading[name] = ticket = object()
        return ticket

    def keep(self, name: str, value: T | None, ticket: object) -> None:
        """Keep what was read; None, which may be another tomorrow, is not kept."""
        if self._reading.get(name) is not ticket:
            return
        del self._reading[name]
        self._kept.pop(name, None)
        if value is not None and self._seconds > 0:
            if len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[name] = (self._clock() + self._seconds, value)

    def forget(self, name: str) -> None:
        """Forget a value, also one that is being read."""
        self._kept.pop(name, None)
        self._reading.pop(name, None)

    def forget_all(self) -> None:
        """Forget every value."""
        self._kept.clear()
        self._reading.clear()
