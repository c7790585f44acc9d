"""An app that asks before anything is said, and does to its messages whatever one may do."""

from __future__ import annotations

import chainlit as cl
from chainlit.types import ThreadDict

from chainkeep import ChainkeepDataLayer


@cl.data_layer
def data_layer() -> ChainkeepDataLayer:
    return ChainkeepDataLayer()


@cl.password_auth_callback
async def log_in(username: str, _password: str) -> cl.User:
    return cl.User(identifier=username)


@cl.on_chat_start
async def start() -> None:
    await cl.Message("Before we begin:").send()
    actions = [cl.Action(name=name, label=name, payload={}) for name in ("tea", "coffee")]
    chosen = await cl.AskActionMessage("Tea or coffee?", actions=actions, timeout=60).send()
    name = await cl.AskUserMessage("And your name?", timeout=60).send()
    if chosen and name:
        await cl.Message(f"{chosen['name']} for {name['output']}.").send()


@cl.on_chat_resume
async def resume(_thread: ThreadDict) -> None:
    """There is nothing to restore."""


@cl.on_message
async def answer(message: cl.Message) -> None:
    await WAYS[message.content]()


async def update_at_once() -> None:
    message = await cl.Message("first").send()
    for number in range(20):
        message.content = f"version {number}"
        await message.update()


async def stream_into() -> None:
    message = await cl.Message("").send()
    for letter in "streamed":
        await message.stream_token(letter)
    await message.update()


async def take_back() -> None:
    regret = await cl.Message("I should not have said that", elements=[_note("regret")]).send()
    await regret.remove()
    await cl.Message("Nothing happened.").send()


async def nest() -> None:
    async with cl.Step(name="outer", type="run"):
        async with cl.Step(name="inner", type="tool", show_input=False) as inner:
            inner.input, inner.output = "secret", {"found": 1}
        await cl.Message("from inside").send()


async def fail() -> None:
    raise ValueError("something broke")


async def be_odd() -> None:
    odd = "zero \x00, half \ud83d, all \U0001f41a, quote ' and --"
    metadata = {"nan": float("nan"), "deep": {"list": [1, None, True]}}
    await cl.Message(odd, metadata=metadata, tags=["a", "b"], language="text").send()


async def take_a_name() -> None:
    cl.user_session.set("name", "Not the title")
    await cl.Message("Named.").send()


async def exchange() -> None:
    element = _note("old")
    message = await cl.Message("one note", elements=[element]).send()
    await element.remove()
    message.elements = [_note("new")]
    await message.update()


def _note(name: str) -> cl.Text:
    return cl.Text(name=name, content=f"the {name} note", display="inline")


WAYS = {
    "update": update_at_once,
    "stream": stream_into,
    "take back": take_back,
    "nest": nest,
    "fail": fail,
    "odd": be_odd,
    "name": take_a_name,
    "exchange": exchange,
}
