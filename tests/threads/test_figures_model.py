"""Random conversations of code and UI: what they took is counted as plain Python counts it, for a
thread, an owner, an organisation, a product and a time, on both databases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import count, product
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chainkeep.models import Step
from chainkeep.store import Store
from chainkeep.threads import Figures, Scope, Thread, Threads, Usage

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MODELS = ("big", "small", None, 5)
NUMBERS: tuple[Any, ...] = (None, 0, 3, 20, "12", True, [])
DURATIONS = (None, 0, 0.25, 2, 0.00001, "1", False)
TYPES = ("llm", "llm", "assistant_message", "user_message", "system_message", "tool", "run", "step")
TOOLS = ("add", "sub")
ROLES = ("user", "assistant", "system", "tool", "critic")
OF_TYPES = {
    "user_message": "user", "assistant_message": "assistant", "system_message": "system",
    "tool": "tool",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A step that is there, as much of it as counts."""

    thread: str
    type: str
    role: str | None
    name: str
    at: datetime
    parent: str | None = None
    generation: Any = None
    seconds: float | None = None
    """From start to end."""
    tool_call_id: str | None = None
    tool_calls: Sequence[tuple[str, str]] = ()
    """Ids and names."""

    def of_generation(self, key: str) -> Any:
        found = self.generation.get(key) if isinstance(self.generation, dict) else None
        kinds = (str,) if key == "model" else (int, float)
        return found if isinstance(found, kinds) and not isinstance(found, bool) else None


# What is counted


def counted(steps: Sequence[Written]) -> Figures:
    calls = [(step.of_generation("model"), usage(step)) for step in steps if is_call(step, steps)]
    by_model: dict[str, Usage] = {}
    for model, took in calls:
        if model is not None:
            by_model[model] = by_model.get(model, Usage()) + took
    roles = dict.fromkeys(("user", "assistant", "system", "tool"), 0)
    said = Counter(step.role for step in steps if step.role is not None)
    return Figures(
        overall=sum((took for _, took in calls), Usage()),
        by_model=by_model,
        messages={**roles, **said},
        tools=Counter(uses(steps)),
    )


def is_call(step: Written, steps: Iterable[Written]) -> bool:
    if step.generation is None or step.type == "llm":
        return step.generation is not None
    mine = (step.parent, step.of_generation("model"))
    made = {(each.parent, each.of_generation("model")) for each in steps if each.type == "llm"}
    return None in mine or mine not in made


def usage(step: Written) -> Usage:
    asked, answered = (step.of_generation(f"{put}putTokenCount") or 0 for put in ("in", "out"))
    total = step.of_generation("tokenCount")
    duration = step.of_generation("duration")
    if duration is None and step.type == "llm":
        duration = step.seconds
    timed = duration is not None and duration > 0
    return Usage(
        calls=1,
        prompt_tokens=asked,
        completion_tokens=answered,
        total_tokens=asked + answered if total is None else total,
        timed_calls=int(timed),
        total_latency=(duration or 0) * 1000 if timed else 0.0,
    )


def uses(steps: Sequence[Written]) -> Iterator[str]:
    asked = {(step.thread, id) for step in steps for id, _ in step.tool_calls}
    for step in steps:
        yield from (name for _, name in step.tool_calls)
        if step.type == "tool" and (step.thread, step.tool_call_id) not in asked:
            yield step.name


# What is written


@dataclass(frozen=True, slots=True)
class Place:
    """A thread, and whose it is."""

    thread: Thread
    owner: str
    org: str | None
    product: str


class Writing:
    """Writes at random, through code and as the UI does, and notes it."""

    def __init__(self, rng: Random, threads: Threads, store: Store, prefix: str) -> None:
        self.rng, self.threads, self.store, self.prefix = rng, threads, store, prefix
        self.places: list[Place] = []
        self.steps: list[Written] = []
        self._numbers = count()

    async def write(self) -> None:
        for owner, org in product(("ada", "bob"), ("acme", None)):
            place = (f"{self.prefix}{owner}", org and f"{self.prefix}{org}", self.prefix)
            thread = await self.threads.create(owner=place[0], org=place[1], product=place[2])
            self.places.append(Place(thread, *place))
        for _ in range(self.rng.randint(5, 25)):
            thread = self.rng.choice(self.places).thread
            await (self.say(thread) if self.rng.random() < 0.4 else self.do(thread))
        if self.rng.random() < 0.3:
            gone = self.places.pop().thread
            await gone.delete()
            self.steps = [step for step in self.steps if step.thread != gone.id]

    async def say(self, thread: Thread) -> None:
        """Post by code; what is posted may be deleted again."""
        rng, role = self.rng, self.rng.choice(ROLES)
        calls = [(f"c{next(self._numbers)}", rng.choice(TOOLS)) for _ in range(rng.randint(0, 2))]
        asked = [id for step in self.steps for id, _ in step.tool_calls]
        given: dict[str, Any] = {
            "model": rng.choice(("big", None)),
            "latency": rng.choice((0, 250)),
        }
        if rng.random() < 0.5:
            given["usage"] = {"prompt_tokens": rng.choice((None, 2)), "completion_tokens": 3}
        if role == "assistant" and calls:
            given["tool_calls"] = [
                {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}
                for id, name in calls
            ]
        if role == "tool":
            given |= {"tool_call_id": rng.choice([*asked, "nobody's"]), "name": rng.choice(TOOLS)}
        message = await thread.add_message(role, "text", **given)
        kind = next((kind for kind, name in OF_TYPES.items() if name == role), "assistant_message")
        if rng.random() < 0.1:
            await message.delete()
            return
        self.steps.append(
            Written(
                thread=thread.id, type=kind, role=role, name=given.get("name", role),
                at=message.created_at, generation=message.generation,
                tool_call_id=given.get("tool_call_id"),
                tool_calls=calls if "tool_calls" in given else (),
            )
        )  # fmt: skip

    async def do(self, thread: Thread) -> None:
        """A step of the UI's."""
        rng, kind = self.rng, self.rng.choice(TYPES)
        at = NOON + timedelta(minutes=rng.randint(-5, 5))
        end = at + timedelta(seconds=rng.choice((-1, 0, 0.75, 61)))
        step = Written(
            thread=thread.id, type=kind, role=OF_TYPES.get(kind), name=rng.choice(TOOLS), at=at,
            parent=rng.choice((None, f"{thread.id}-run", f"{thread.id}-other")),
            generation=self.generation(), seconds=(end - at).total_seconds(),
        )  # fmt: skip
        ends: dict[str, Any] = {"start": written(at), "end": written(end)}
        if rng.random() < 0.2:
            ends, step = {}, replace(step, seconds=None)
        await self.store.create_step(
            Step(
                id=f"{thread.id}-{next(self._numbers)}", thread_id=thread.id, type=kind,
                name=step.name, parent_id=step.parent, created_at=written(at),
                generation=step.generation, **ends,
            )
        )  # fmt: skip
        self.steps.append(step)

    def generation(self) -> Any:
        if self.rng.random() < 0.4:
            return self.rng.choice((None, None, "text", []))
        values = {
            "model": MODELS, "inputTokenCount": NUMBERS, "outputTokenCount": NUMBERS,
            "tokenCount": NUMBERS, "duration": DURATIONS,
        }  # fmt: skip
        return {
            key: self.rng.choice(some) for key, some in values.items() if self.rng.random() < 0.8
        }


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# The comparison

TIMES = (None, NOON, NOON + timedelta(minutes=2), NOON + timedelta(days=3))


def same(found: Figures, wanted: Figures) -> None:
    assert rounded(found.overall) == rounded(wanted.overall)
    assert {name: rounded(took) for name, took in found.by_model.items()} == {
        name: rounded(took) for name, took in wanted.by_model.items()
    }
    assert (found.messages, found.tools) == (wanted.messages, wanted.tools)


def rounded(took: Usage) -> Usage:
    return replace(took, total_latency=round(took.total_latency, 6))


async def compare(writing: Writing) -> None:
    orgs = {place.org for place in writing.places} - {None}
    owners = {place.owner for place in writing.places}
    for since, until in product(TIMES, TIMES):
        some = [
            step
            for step in writing.steps
            if (since is None or step.at >= since) and (until is None or step.at < until)
        ]
        during: dict[str, Any] = {"since": since, "until": until}
        for place in writing.places:
            mine = [step for step in some if step.thread == place.thread.id]
            same(await place.thread.figures(**during), counted(mine))
        for owner, org in product((None, *sorted(owners)), (None, *sorted(orgs, key=str))):
            ids = {
                place.thread.id
                for place in writing.places
                if owner in (None, place.owner) and org in (None, place.org)
            }
            mine = [step for step in some if step.thread in ids]
            figures = await writing.threads.figures(
                owner, org=org, product=writing.prefix, **during
            )
            same(figures, counted(mine))
    scope = Scope(product=writing.prefix)
    ids = {place.thread.id for place in writing.places if place.org is None}
    mine = [step for step in writing.steps if step.thread in ids]
    same(await writing.threads.within(scope).figures(), counted(mine))


_prefixes = (f"{number}-" for number in count())


@pytest.fixture
async def bare(open_: Any) -> Threads:
    found: Threads = await open_(ui_runs=False)
    return found


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rng=st.randoms(use_true_random=True))
async def test_figures_are_those_that_plain_python_counts(
    bare: Threads, store: Store, rng: Random
) -> None:
    writing = Writing(rng, bare, store, next(_prefixes))
    await writing.write()
    await compare(writing)
