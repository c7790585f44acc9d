"""Random conversations, written by code and in the UI and into a model: the same answers from both
databases as from the model.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from chainlit.types import Feedback
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.errors import ConflictError, InvalidInputError, NotFoundError
from chainkeep.threads import Message, Role, Thread, Threads, open_threads
from chainkeep.values import utc_now
from tests.threads.model import ModelThreads

_Call = tuple[str, dict[str, Any]]

THREADS = ("t1", "t2")
ROLES = ("user", "user", "assistant", "system", "critic")
WORDS = ("", "hello", "nul\0byte", '"quoted" 100%', "\ufdd0 🙂")
ATTRIBUTES: list[dict[str, Any]] = [{}, {"k": 1}, {"k": "1"}, {"k": True}, {"k": None}, {"l": [1]}]
LOOKED_FOR = (1, "1", True)


# What is called


def conversation(rng: Random) -> list[_Call]:
    """Some thirty calls that are about few threads and messages, so that they meet."""
    calls: list[_Call] = [("create", {"thread": thread, "name": None}) for thread in THREADS]
    numbers = count()
    messages: dict[str, list[str]] = {thread: ["never"] for thread in THREADS}
    for _ in range(rng.randint(10, 30)):
        thread = rng.choice((*THREADS, "t1"))
        calls.append(_call(rng, thread, messages[thread], numbers))
    return calls


def _call(rng: Random, thread: str, messages: list[str], numbers: count[int]) -> _Call:
    name = rng.choice(_OFTEN + _SELDOM)
    given: dict[str, Any] = {"thread": thread}
    if name in ("post", "ui_say"):
        given |= {"message": f"m{next(numbers)}", "text": rng.choice(WORDS)}
        given["role"] = rng.choice(ROLES if name == "post" else ("user", "assistant"))
        if name == "post":
            given["private"] = rng.random() < 0.2
            given["same_turn"] = rng.random() < 0.3
            given["reply_to"] = rng.choice([None, None, *messages[-2:]])
        messages.append(given["message"])
    elif name in _OF_MESSAGES:
        given |= {"message": rng.choice(messages[-4:]), **_more(rng, name)}
    else:
        given |= _more(rng, name)
    return name, given


def _more(rng: Random, name: str) -> dict[str, Any]:
    choices: dict[str, dict[str, list[Any]]] = {
        "edit": {"text": list(WORDS), "attributes": [None, {}, {"n": 1}]},
        "ui_edit": {"text": list(WORDS)},
        "react": {"emoji": ["👍", "+1"], "user": ["ada", "bob"]},
        "unreact": {"emoji": ["👍", "+1"], "user": ["ada", "bob"]},
        "vote": {"value": [0, 1, None]},
        "ui_vote": {"value": [0, 1]},
        "dislike": {"disliked": [True, False]},
        "summarize": {"summary": ["short", "shorter"]},
        "update": {"name": [None, "new"], "attributes": [None, *ATTRIBUTES]},
        "ui_rename": {"name": ["ui"], "metadata": [{}, {"k": 1}]},
        "add_role": {"role": ["critic", "judge"]},
        "remove_role": {"role": ["critic", "judge"]},
    }
    return {key: rng.choice(values) for key, values in choices.get(name, {}).items()}


_OF_MESSAGES = (
    "edit", "remove", "react", "unreact", "vote", "dislike", "summarize", "ui_edit", "ui_remove",
    "ui_vote",
)  # fmt: skip
_OFTEN = ("post", "post", "post", "post", "ui_say", "ui_say", *_OF_MESSAGES)
_SELDOM = (
    "update", "ui_rename", "delete", "delete", "restore", "add_role", "remove_role", "clear",
    "destroy", "ui_destroy", "copy",
)  # fmt: skip


# Who is called


class Spoken:
    """The Thread API and the UI's layer on one store, under the model's ids."""

    def __init__(self, layer: ChainkeepDataLayer, threads: Threads, prefix: str) -> None:
        self.layer, self.threads, self.prefix = layer, threads, prefix
        self.handles: dict[str, Thread] = {}
        self.messages: dict[str, Message] = {}

    def own(self, key: str | None) -> str | None:
        return None if key is None else f"{self.prefix}{key}"

    async def create(self, thread: str, name: str | None) -> None:
        self.handles[thread] = await self.threads.create(
            name, id=self.own(thread), owner=self.prefix
        )

    async def update(
        self, thread: str, name: str | None, attributes: dict[str, Any] | None
    ) -> None:
        await self.handles[thread].update(name=name, attributes=attributes)

    async def delete(self, thread: str) -> bool:
        return await self.handles[thread].delete()

    async def restore(self, thread: str) -> bool:
        return await self.handles[thread].restore()

    async def destroy(self, thread: str) -> bool:
        return await self.handles[thread].delete(hard=True)

    async def copy(self, thread: str) -> dict[str, str]:
        """The copy's id, and its messages' by those that they were copied from."""
        before = await self.handles[thread].messages()
        copied = await self.handles[thread].copy()
        ids = {old.id: new for old, new in zip(before, await copied.messages(), strict=True)}
        self.handles[copied.id] = copied
        self.messages |= {new.id: new for new in ids.values()}
        return {"": copied.id, **{self.plain(old): new.id for old, new in ids.items()}}

    def plain(self, key: str) -> str:
        return key.removeprefix(self.prefix)

    async def post(self, thread: str, message: str, role: str, text: str, **given: Any) -> None:
        reply_to = self.own(given.pop("reply_to"))
        posted = await self.handles[thread].add_message(
            role, text, id=self.own(message), reply_to=reply_to, **given
        )
        self.messages[message] = posted

    async def edit(
        self, thread: str, message: str, text: str, attributes: dict[str, Any] | None
    ) -> None:
        await self._message(thread, message).edit(text, attributes=attributes)

    async def remove(self, thread: str, message: str) -> bool:
        return await self._message(thread, message).delete()

    async def clear(self, thread: str) -> None:
        await self.handles[thread].clear()

    async def react(self, thread: str, message: str, emoji: str, user: str) -> bool:
        return await self._message(thread, message).add_reaction(emoji, user)

    async def unreact(self, thread: str, message: str, emoji: str, user: str) -> bool:
        return await self._message(thread, message).remove_reaction(emoji, user)

    async def vote(self, thread: str, message: str, value: int | None) -> bool:
        return await self._message(thread, message).set_feedback(value)

    async def dislike(self, thread: str, message: str, disliked: bool) -> bool:
        return await self._message(thread, message).set_disliked(disliked)

    async def summarize(self, thread: str, message: str, summary: str) -> None:
        await self._message(thread, message).summarize(summary)

    async def add_role(self, thread: str, role: str) -> bool:
        try:
            await self.handles[thread].add_role(Role(name=role))
        except ConflictError:
            return False
        return True

    async def remove_role(self, thread: str, role: str) -> None:
        await self.handles[thread].remove_role(role)

    def _message(self, thread: str, message: str) -> Message:
        """A value of a message that was there, or never was."""
        access = self.handles[thread]._access
        key = self.own(message) or ""
        return Message(
            id=key, thread_id=self.handles[thread].id, role="user", content="",
            created_at=self.handles[thread].created_at, _access=access,
        )  # fmt: skip

    async def ui_say(self, thread: str, message: str, role: str, text: str) -> None:
        await self.layer.create_step(
            self._step(thread, message, type=f"{role}_message", output=text, createdAt=utc_now())
        )

    async def ui_edit(self, thread: str, message: str, text: str) -> None:
        await self.layer.update_step(self._step(thread, message, output=text))

    async def ui_remove(self, thread: str, message: str) -> None:  # noqa: ARG002 - as the model
        await self.layer.delete_step(self.own(message) or "")

    async def ui_rename(self, thread: str, name: str, metadata: dict[str, Any]) -> None:
        await self.layer.update_thread(self.own(thread) or "", name=name, metadata=metadata)

    async def ui_vote(self, thread: str, message: str, value: Any) -> None:
        vote = Feedback(forId=self.own(message) or "", threadId=self.own(thread), value=value)
        await self.layer.upsert_feedback(vote)

    async def ui_destroy(self, thread: str) -> bool:
        await self.layer.delete_thread(self.own(thread) or "")
        return True

    def _step(self, thread: str, message: str, **given: Any) -> Any:
        return {"id": self.own(message), "threadId": self.own(thread), **given}

    # What is seen

    async def seen(self, thread: str) -> dict[str, Any] | None:
        found = await self.threads.get(self.handles[thread].id)
        if found is None:
            assert await self.layer.get_thread(self.handles[thread].id) is None
            return None
        shown = await self.layer.get_thread(found.id)
        assert shown is not None
        return {
            "name": found.name,
            "attributes": found.attributes,
            "metadata": found.metadata,
            "roles": list(await found.roles()),
            "messages": [await self._plain(each) for each in await found.messages()],
            "summaries": {self.plain(k): text for k, text in (await found.summaries()).items()},
            "ui": [(self.plain(step["id"]), step["output"]) for step in shown["steps"] or []],
        }

    async def _plain(self, message: Message) -> tuple[Any, ...]:
        reply_to = None if message.reply_to is None else self.plain(message.reply_to)
        return (
            self.plain(message.id), message.role, message.text, message.private, reply_to,
            message.attributes, await message.reactions(), message.feedback, message.sequence,
            message.turn,
        )  # fmt: skip

    async def listed(self) -> list[str]:
        page = await self.threads.list(owner=self.prefix)
        return [self.plain(thread.id) for thread in page.items]

    async def with_attribute(self, name: str, value: object) -> list[str]:
        found = await self.threads.find(owner=self.prefix, attributes={name: value})
        return [self.plain(thread.id) for thread in found]

    async def counted(self) -> dict[str, int]:
        return dict((await self.threads.figures(self.prefix)).messages)


# The comparison


@pytest.fixture
async def layer(database_url: str, tmp_path: Path) -> AsyncIterator[ChainkeepDataLayer]:
    layer = ChainkeepDataLayer(
        database_url, blobs=str(tmp_path / "blobs"), journal=str(tmp_path / "journal")
    )
    yield layer
    await layer.close()


_prefixes = (f"conversation-{number}." for number in count())
_ERRORS = (InvalidInputError, NotFoundError)


def _wanted(model: ModelThreads, name: str, given: dict[str, Any]) -> Any:
    """What the model answers; an error's type for an error."""
    try:
        return getattr(model, name)(**given)
    except _ERRORS as error:
        return type(error)


async def _answered(spoken: Spoken, name: str, given: dict[str, Any]) -> Any:
    try:
        return await getattr(spoken, name)(**given)
    except _ERRORS as error:
        return type(error)


def _makes_sense(model: ModelThreads, name: str, given: dict[str, Any]) -> bool:
    """The UI changes only what it shows."""
    changes = name in ("ui_edit", "ui_remove", "ui_vote")
    return not changes or model.shows(given["thread"], given["message"])


async def converse(layer: ChainkeepDataLayer, calls: list[_Call]) -> None:
    """Say all of it to both; ``AssertionError`` where their answers differ."""
    async with open_threads(layer, ui_runs=False) as threads:
        model, spoken = ModelThreads(), Spoken(layer, threads, next(_prefixes))
        for name, given in calls:
            if not _makes_sense(model, name, given):
                continue
            answer = await _answered(spoken, name, given)
            if name == "copy" and isinstance(answer, dict):
                model.copy(new=answer.pop(""), ids=answer, **given)
            elif name == "copy":
                assert answer == _wanted(model, name, {**given, "new": "", "ids": {}})
            else:
                assert answer == _wanted(model, name, given), name
        await _compare(spoken, model)


async def _compare(spoken: Spoken, model: ModelThreads) -> None:
    for thread in spoken.handles:
        assert await spoken.seen(thread) == model.seen(thread)
    assert await spoken.listed() == model.listed()
    assert await spoken.counted() == model.counted()
    for value in LOOKED_FOR:
        assert await spoken.with_attribute("k", value) == model.with_attribute("k", value)


async def differs(layer: ChainkeepDataLayer, calls: list[_Call]) -> bool:
    try:
        await converse(layer, calls)
    except AssertionError:
        return True
    return False


async def shortest(layer: ChainkeepDataLayer, calls: list[_Call]) -> list[_Call]:
    """What is left of a conversation that goes wrong when no call can be left out."""
    for number in reversed(range(len(THREADS), len(calls))):
        shorter = calls[:number] + calls[number + 1 :]
        calls = shorter if await differs(layer, shorter) else calls
    return calls


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],  # a seed cannot be made smaller; a conversation can
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rng=st.randoms(use_true_random=True))
async def test_code_and_ui_together_are_answered_as_the_model_answers_them(
    layer: ChainkeepDataLayer, rng: Random
) -> None:
    calls = conversation(rng)
    if await differs(layer, calls):
        calls = await shortest(layer, calls)
        note(f"The calls: {calls}")
        await converse(layer, calls)
