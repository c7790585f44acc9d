"""Random conversations, written through the data layer and into a model of it: the same answers
from both databases as from the model.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from chainlit.element import CustomElement, File
from chainlit.types import Feedback, Pagination, ThreadFilter
from chainlit.user import User
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.errors import ConflictError
from tests.store.blobs import MemoryBlobs
from tests.store.model import ModelLayer

USERS = ("ada", "bob")
THREADS = ("t1", "t2", "t3")
STEPS = ("s1", "s2", "s3", "s4")
ELEMENTS = ("e1", "e2")
VOTES = ("v1", "v2", "v3")
WORDS = ("", "Hello World", "hello", "100%_sure", 'a "quote"', "nul\0byte", "\ufdd0\ufdd1 🙂", "!%")
SEARCHES = ("HELLO", "100%", "_", "\0")

_Call = tuple[str, dict[str, Any]]


# What is called


def _moment(rng: Random) -> str:
    return f"2026-01-01T00:00:0{rng.randint(1, 6)}.000000Z"


_OPTIONAL: dict[str, Sequence[Any]] = {
    "name": ["bot", "ada"],
    "input": ["", '{"a": 1}'],
    "metadata": [{}, {"favorite": True}, {"k": [1, None, 2**60], "ä": "\0"}],
    "tags": [None, [], ["a", "b"]],
    "showInput": [None, True, False, "json", "true"],
    "isError": [True, False],
    "streaming": [True, False],
    "start": [None, "2026-01-01T00:00:01.500000Z"],
    "end": [None, "2026-01-01T00:00:02.500000Z"],
    "generation": [None, {"provider": "x", "tokens": 1.5}],
    "defaultOpen": [True, False],
    "waitForAnswer": [None, True, False],
    "language": [None, "python"],
}
_METADATA: Sequence[dict[str, Any]] = [
    {}, {"k": 1}, {"k": None, "l": {"deep": [1]}}, {"is_shared": False},
    {"is_shared": True, "shared_at": "then"},
]  # fmt: skip


def _step(rng: Random, *, whole: bool) -> dict[str, Any]:
    """A step, most often in the same thread and below another, so that steps meet."""
    step_id = rng.choice(STEPS)
    step: dict[str, Any] = {"id": step_id, "threadId": "t1" if rng.random() < 0.8 else "t2"}
    if whole or rng.random() < 0.5:
        step["createdAt"] = _moment(rng)
    if whole or rng.random() < 0.5:
        step["output"] = rng.choice(WORDS)
    if whole:
        step["type"] = rng.choice(["user_message", "assistant_message", "run", "tool"])
    if rng.random() < 0.5:
        step["parentId"] = rng.choice([None, "never written", *STEPS, *STEPS])
    for name in rng.sample(sorted(_OPTIONAL), rng.randint(0, 4)):
        step[name] = rng.choice(_OPTIONAL[name])
    return step


def _element(rng: Random) -> dict[str, Any]:
    kind = rng.choice(["file", "custom"])
    return {
        "id": rng.choice(ELEMENTS),
        "threadId": rng.choice(["t1", "t1", "t1", "t2"]),
        "forId": rng.choice([None, *STEPS]),
        "type": kind,
        "name": rng.choice(["notes.txt", "../é\0.txt"]),
        "display": rng.choice(["inline", "side"]),
        "props": rng.choice([{}, {"n": 1, "m": [True, None]}]) if kind == "custom" else None,
    }


def _update(rng: Random, **given: Any) -> _Call:
    thread_id = rng.choice(["t1", "t1", "t1", "t2", "t3"])
    left = dict.fromkeys(("name", "user_id", "metadata", "tags"))
    return "update_thread", {"thread_id": thread_id, **left, **given}


def _session(rng: Random) -> _Call:
    name, tags = rng.choice([None, "First said"]), rng.choice([None, [], ["x"]])
    return _update(rng, name=name, tags=tags, user_id=rng.choice([*USERS, "ada"]))


def _vote(rng: Random) -> _Call:
    vote = {"value": rng.choice([0, 1]), "comment": rng.choice([None, "good"])}
    return "upsert_feedback", {"step_id": rng.choice(STEPS), "vote_id": rng.choice(VOTES), **vote}


def _profile(rng: Random) -> _Call:
    values = {
        "metadata": rng.choice([{}, {"role": "admin"}]),
        "display_name": rng.choice([None, "A"]),
    }
    return "create_user", {"identifier": rng.choice(USERS), **values}


KINDS: Sequence[Callable[[Random], _Call]] = (
    lambda rng: ("create_step", {"step_dict": _step(rng, whole=True)}),
    lambda rng: ("update_step", {"step_dict": _step(rng, whole=False)}),
    lambda rng: ("delete_step", {"step_id": rng.choice(STEPS)}),
    lambda rng: (
        "set_step_favorite",
        {"step_id": rng.choice(STEPS), "favorite": rng.choice([True, False])},
    ),
    lambda rng: _update(rng, name=rng.choice(["Title", "hello there", "100%"])),
    lambda rng: _update(rng, metadata=rng.choice(_METADATA)),
    _session,
    lambda rng: ("delete_thread", {"thread_id": rng.choice(THREADS)}),
    _vote,
    lambda rng: ("delete_feedback", {"feedback_id": rng.choice(VOTES)}),
    lambda rng: ("create_element", {"values": _element(rng)}),
    lambda rng: ("delete_element", {"element_id": rng.choice(ELEMENTS), "thread_id": "t1"}),
    _profile,
)


def conversation(rng: Random) -> list[list[_Call]]:
    """What is called together, without waiting for each other; one such lot after the other.

    Beside the creation of steps a conversation knows some kinds of calls only, so that what they do
    to each other comes up often.
    """
    kinds = [KINDS[0], KINDS[0], _session, *rng.sample(KINDS, 4)]
    return [
        [rng.choice(kinds)(rng) for _ in range(rng.randint(3, 12))]
        for _ in range(rng.randint(2, 4))
    ]


def makes_sense(model: ModelLayer, call: _Call) -> bool:
    """Whether Chainlit could call so: one votes on, stars, and changes bits of what is there."""
    name, arguments = call
    if name in ("upsert_feedback", "set_step_favorite"):
        return model.is_live(arguments["step_id"])
    if name == "update_step" and "createdAt" not in arguments["step_dict"]:
        return arguments["step_dict"]["id"] in model.steps
    return True


# The layer, spoken to in the model's words


@dataclass
class SpokenTo:
    """A layer, in which every id begins with ``prefix``, so that conversations do not meet."""

    layer: ChainkeepDataLayer
    prefix: str
    user_ids: dict[str, str]

    def own(self, value: str | None) -> str | None:
        return value and self.prefix + value

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        special: Callable[..., Awaitable[Any]] | None = getattr(self, name, None)
        if special is not None:
            return await special(**arguments)
        ids = {
            key: self.own(value) if key.endswith("_id") else value
            for key, value in arguments.items()
        }
        return await getattr(self.layer, name)(**ids)

    async def create_user(self, **values: Any) -> None:
        identifier = values["identifier"]
        user = await self.layer.create_user(User(**{**values, "identifier": self.own(identifier)}))
        assert user is not None
        assert self.user_ids.setdefault(identifier, user.id) == user.id

    async def update_thread(self, thread_id: str, user_id: str | None, **values: Any) -> None:
        owner = user_id and self.user_ids[user_id]
        await self.layer.update_thread(self.prefix + thread_id, user_id=owner, **values)

    async def create_step(self, step_dict: dict[str, Any]) -> None:
        await self.layer.create_step(self._step(step_dict))

    async def update_step(self, step_dict: dict[str, Any]) -> None:
        await self.layer.update_step(self._step(step_dict))

    def _step(self, step_dict: dict[str, Any]) -> Any:
        ids = ("id", "threadId", "parentId")
        return {key: self.own(v) if key in ids else v for key, v in step_dict.items()}

    async def set_step_favorite(self, step_id: str, favorite: bool) -> None:
        step: Any = {"id": self.own(step_id), "threadId": "the stored one counts"}
        starred = await self.layer.set_step_favorite(step, favorite)
        assert starred["metadata"] == {"favorite": favorite}

    async def upsert_feedback(
        self, step_id: str, vote_id: str, value: Any, comment: str | None
    ) -> str:
        vote = Feedback(
            forId=self.prefix + step_id, value=value, id=self.own(vote_id), comment=comment
        )
        return (await self.layer.upsert_feedback(vote)).removeprefix(self.prefix)

    async def create_element(self, values: dict[str, Any]) -> None:
        common = {
            "id": self.own(values["id"]),
            "thread_id": self.own(values["threadId"]),
            "for_id": self.own(values["forId"]),
            "name": values["name"],
            "display": values["display"],
        }
        if values["type"] == "custom":
            await self.layer.create_element(CustomElement(props=values["props"], **common))
        else:
            await self.layer.create_element(File(content=b"bytes", **common))

    async def delete_element(self, element_id: str, thread_id: str) -> None:
        await self.layer.delete_element(self.prefix + element_id, self.prefix + thread_id)

    # What is seen

    async def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for thread_id in THREADS:
            found[thread_id] = await self.layer.get_thread(self.prefix + thread_id)
            found[f"author of {thread_id}"] = await self.layer.get_thread_author(
                self.prefix + thread_id
            )
        for user in USERS:
            user_id = self.user_ids[user]
            found[user] = asdict(await self.layer.get_user(self.prefix + user))  # type: ignore[arg-type]
            found[f"stars of {user}"] = await self.layer.get_favorite_steps(user_id)
            for filters in FILTERS:
                found[f"list of {user}, {filters}"] = await self._list(user_id, filters)
        return dict(self._plain(found))

    async def _list(self, user_id: str, filters: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        while True:
            page = await self.layer.list_threads(
                Pagination(first=2, cursor=cursor), ThreadFilter(userId=user_id, **filters)
            )
            found += page.data
            assert len(page.data) == 2 or not page.pageInfo.hasNextPage
            if not page.pageInfo.hasNextPage:
                return found
            cursor = page.pageInfo.endCursor

    def _plain(self, found: dict[str, Any]) -> Any:
        """In the model's words: its ids, "now", and of an element what the model knows of it."""
        for thread_id in THREADS:
            for element in (found[thread_id] or {}).get("elements", ()):
                assert (element["url"] is not None) == (element["type"] == "file")
                for key in set(element) - _ELEMENT_KEYS:
                    del element[key]
        text = json.dumps(found).replace(self.prefix, "")
        for user, user_id in self.user_ids.items():
            text = text.replace(user_id, user)
        return json.loads(_NOW.sub('"now"', text))


FILTERS: list[dict[str, Any]] = [
    {}, {"feedback": 0}, {"feedback": 1}, *({"search": words} for words in SEARCHES),
]  # fmt: skip
_ELEMENT_KEYS = {"id", "threadId", "forId", "type", "name", "display", "props"}
_NOW = re.compile(r'"(?!2026-01-01)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"')


def expected(model: ModelLayer) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for thread_id in THREADS:
        found[thread_id] = model.get_thread(thread_id)
        found[f"author of {thread_id}"] = model.get_thread_author(thread_id)
    for user in USERS:
        found[user] = model.get_user(user)
        found[f"stars of {user}"] = model.get_favorite_steps(user)
        for filters in FILTERS:
            found[f"list of {user}, {filters}"] = model.list_threads(user, **filters)
    return dict(json.loads(json.dumps(found)))


# The comparison


@pytest.fixture
async def layer(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ChainkeepDataLayer]:
    # The model has one order of all writes, also of those that want the same step in two threads;
    # several lanes keep the order within each thread.
    monkeypatch.setenv("CHAINKEEP_WRITE_LANES", "1")
    layer = ChainkeepDataLayer(
        database_url, storage_provider=MemoryBlobs(), journal=str(tmp_path / "journal")
    )
    yield layer
    await layer.close()


_prefixes = (f"conversation-{number}." for number in count())


def _result(model: ModelLayer, call: _Call) -> Any:
    """What the model answers; an exception's type for an exception."""
    name, arguments = call
    try:
        return getattr(model, name)(**arguments)
    except ConflictError:
        return ConflictError


async def converse(layer: ChainkeepDataLayer, lots: list[list[_Call]]) -> None:
    """Say all of it to the layer and to a model; ``AssertionError`` where their answers differ."""
    model, spoken_to = ModelLayer(), SpokenTo(layer, next(_prefixes), {})
    for user in USERS:
        model.create_user(user, {})
        await spoken_to.create_user(identifier=user, metadata={})
    for lot in lots:
        calls: list[_Call] = []
        wanted: list[Any] = []
        for call in lot:
            if makes_sense(model, call):
                calls.append(call)
                wanted.append(_result(model, call))
        given = await asyncio.gather(
            *(spoken_to.call(*call) for call in calls), return_exceptions=True
        )
        assert [type(each) if isinstance(each, BaseException) else each for each in given] == wanted
        assert await spoken_to.seen() == expected(model)


async def differs(layer: ChainkeepDataLayer, lots: list[list[_Call]]) -> bool:
    try:
        await converse(layer, lots)
    except AssertionError:
        return True
    return False


async def shortest(layer: ChainkeepDataLayer, lots: list[list[_Call]]) -> list[list[_Call]]:
    """What is left of a conversation that goes wrong when no call can be left out."""
    for at, lot in enumerate(lots):
        for number in reversed(range(len(lot))):
            shorter = [*lots[:at], lots[at][:number] + lots[at][number + 1 :], *lots[at + 1 :]]
            lots = shorter if await differs(layer, shorter) else lots
    return [lot for lot in lots if lot]


@settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a seed cannot be made smaller; a conversation can
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rng=st.randoms(use_true_random=True))
async def test_any_conversation_is_answered_as_the_model_answers_it(
    layer: ChainkeepDataLayer, rng: Random
) -> None:
    lots = conversation(rng)
    if await differs(layer, lots):
        lots = await shortest(layer, lots)
        note(f"The calls: {lots}")
        await converse(layer, lots)
