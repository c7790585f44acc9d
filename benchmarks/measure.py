"""Calls, timed: how long each took, how late the event loop was meanwhile, and what went wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override

__all__ = ["Call", "Sample", "complaints", "percentile", "timed"]

Call = Callable[[], Awaitable[Any]]
Check = Callable[[Any], "str | None"]
"""What is wrong with a call's result; None where nothing is."""

_TICK = 0.001
_LOGGERS = ("chainlit", "chainkeep")


@dataclass(slots=True)
class Sample:
    """What one candidate did in one round. Times are seconds."""

    times: list[float] = field(default_factory=list)
    """How long each call took."""
    elapsed: float = 0.0
    """From the first call's beginning to the last one's end."""
    stall: float = 0.0
    """By how much the event loop was at most late for something due every millisecond."""
    flaws: list[str] = field(default_factory=list)
    """What was raised, what was logged instead of raised, and which rows or answers are missing."""

    def blame(self, flaw: str | None) -> None:
        """Note a flaw, once."""
        if flaw is not None and flaw not in self.flaws:
            self.flaws.append(flaw)


def percentile(times: Sequence[float], share: float) -> float:
    """The time that this share of the times does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def timed(
    loops: Sequence[Iterable[Call]], seconds: float, *, check: Check = lambda _: None
) -> Sample:
    """Run loops at once; each makes one call after the other until the time is over.

    Each makes one call at least and finishes the one it is in. A loop ends where its calls do, or
    where one raises.
    """
    sample = Sample()
    clock = asyncio.get_running_loop().time
    with complaints(sample):
        ticker = asyncio.ensure_future(_tick(sample))
        began = clock()
        running = [_loop(sample, calls, began + seconds, check) for calls in loops]
        ended = await asyncio.gather(*running, return_exceptions=True)
        sample.elapsed = clock() - began
        ticker.cancel()
    for outcome in ended:
        if outcome is not None:
            sample.blame(f"raised {type(outcome).__name__}: {_first_line(str(outcome))}")
    return sample


async def _loop(sample: Sample, calls: Iterable[Call], deadline: float, check: Check) -> None:
    for call in calls:
        began = time.perf_counter()
        result = await call()
        sample.times.append(time.perf_counter() - began)
        sample.blame(check(result))
        if asyncio.get_running_loop().time() > deadline:
            return


async def _tick(sample: Sample) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + _TICK
        await asyncio.sleep(_TICK)
        sample.stall = max(sample.stall, clock() - due)


class _Complaints(logging.Handler):
    """Takes down what is logged: some layers log an error and go on as if there were none."""

    def __init__(self, sample: Sample) -> None:
        super().__init__(logging.WARNING)
        self._sample = sample

    @override
    def emit(self, record: logging.LogRecord) -> None:
        # The indexer works beside whoever is measured, and says at most what the server lacks.
        if record.name != "chainkeep.search":
            self._sample.blame(f"logged {_first_line(record.getMessage())}")


@contextmanager
def complaints(sample: Sample) -> Iterator[None]:
    """Blame the sample for what is logged meanwhile, instead of showing it."""
    listener = _Complaints(sample)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    for logger in loggers:
        logger.addHandler(listener)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(listener)


def _first_line(message: str) -> str:
    return message.partition("\n")[0][:160]
