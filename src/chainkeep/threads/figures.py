"""What a thread, or all of somebody's, took: tokens, calls, time, messages, tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chainkeep.db import figure_queries
from chainkeep.db.execution import Rows
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.threads.access import Access
from chainkeep.values import timestamp

__all__ = ["NOTHING", "Figures", "Usage"]

_ALWAYS, _NEVER = "", "~"  # before and after every time


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What models took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    timed_calls: int = 0
    """Of how many the time is known."""
    total_latency: float = 0.0
    """Milliseconds."""

    @property
    def average_latency(self) -> float:
        """Milliseconds a call, of those whose time is known; 0 where none is."""
        return self.total_latency / self.timed_calls if self.timed_calls else 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            timed_calls=self.timed_calls + other.timed_calls,
            total_latency=self.total_latency + other.total_latency,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was counted, at one moment."""

    overall: Usage
    by_model: Mapping[str, Usage]
    """Calls that name no model are in ``overall`` only."""
    messages: Mapping[str, int]
    """By role; user, assistant, system and tool are always there."""
    tools: Mapping[str, int] = field(default_factory=dict)
    """How often each was called."""

    def of_model(self, name: str) -> Usage:
        """What a model took; nothing where it was never called."""
        return self.by_model.get(name, Usage())

    @property
    def tool_calls(self) -> int:
        """Calls of all tools."""
        return sum(self.tools.values())


_NO_MESSAGES = dict.fromkeys(("user", "assistant", "system", "tool"), 0)

NOTHING = Figures(overall=Usage(), by_model={}, messages=_NO_MESSAGES)
"""What no thread took."""


async def count(
    access: Access,
    *,
    thread_id: str | None = None,
    scope: Scope = EVERYTHING,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Figures:
    """Count a thread, or all in a scope, from a time up to another."""
    rows = await access.read(
        thread_id,
        figure_queries.figures,
        thread_id=thread_id,
        scope=scope,
        since=timestamp(since) or _ALWAYS,
        until=timestamp(until) or _NEVER,
    )
    usages = [(row["name"], _usage(row)) for row in rows if row["kind"] == "model"]
    return Figures(
        overall=sum((usage for _, usage in usages), Usage()),
        by_model={model: usage for model, usage in usages if model is not None},
        messages={**_NO_MESSAGES, **_uses(rows, "role")},
        tools=_uses(rows, "tool"),
    )


def _uses(rows: Rows, kind: str) -> dict[str, int]:
    return {row["name"]: int(row["uses"]) for row in rows if row["kind"] == kind}


def _usage(row: Mapping[str, Any]) -> Usage:
    return Usage(
        calls=int(row["uses"]),
        prompt_tokens=int(row["prompt_tokens"]),
        completion_tokens=int(row["completion_tokens"]),
        total_tokens=int(row["total_tokens"]),
        timed_calls=int(row["timed"]),
        total_latency=float(row["seconds"]) * 1000,
    )
