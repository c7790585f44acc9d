"""A chat app whose conversations are kept: `chainlit run app.py`, then log in as alice or bob."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import chainlit as cl
import gallery
from bot import STORY, Memory, calculate, find_sum, reply, words
from chainlit.element import Element
from chainlit.input_widget import Slider, Switch
from chainlit.types import ThreadDict

from chainkeep import ChainkeepDataLayer


@cl.data_layer
def data_layer() -> ChainkeepDataLayer:
    return ChainkeepDataLayer()


# That was all. What follows is an ordinary Chainlit app, there to give chainkeep something to keep.

# For the demonstration only: passwords belong neither in a program nor in plain text.
DEMO_USERS = {"alice": "alice", "bob": "bob"}

if not os.environ.get("CHAINLIT_AUTH_SECRET"):
    raise SystemExit(
        "CHAINLIT_AUTH_SECRET is not set. Start with `make example`, which keeps one for you,"
        " or run `chainlit create-secret` and export what it prints."
    )


@cl.password_auth_callback
async def log_in(username: str, password: str) -> cl.User | None:
    if DEMO_USERS.get(username) != password:
        return None
    return cl.User(identifier=username, display_name=username.title(), metadata={"demo": True})


@cl.set_chat_profiles
async def chat_profiles(_user: cl.User | None) -> list[cl.ChatProfile]:
    starters = [
        cl.Starter(label="Tell a story", message="tell me a story"),
        cl.Starter(label="Do a sum", message="what is 12 * (3 + 4)?"),
        cl.Starter(label="Show everything", message="show everything"),
    ]
    return [
        cl.ChatProfile("Pebble", "Counts, tells a story, **remembers**.", starters=starters),
        cl.ChatProfile("Abacus", "Does sums and is **brief** about it.", starters=starters[1:2]),
    ]


@cl.on_chat_start
async def start() -> None:
    cl.user_session.set("memory", Memory())
    await settings_panel({}).send()


@cl.on_chat_resume
async def resume(thread: ThreadDict) -> None:
    """The bot remembers what the thread says, not what this process has seen."""
    cl.user_session.set("memory", Memory.of_steps(thread["steps"]))
    await settings_panel(cl.user_session.get("chat_settings") or {}).send()


def settings_panel(chosen: dict[str, Any]) -> cl.ChatSettings:
    pace = Slider(
        id="pace", label="Milliseconds a word", initial=chosen.get("pace", 15), max=200, step=5
    )
    shout = Switch(id="shout", label="Shout", initial=chosen.get("shout", False))
    return cl.ChatSettings([pace, shout])


@cl.on_message
async def answer(message: cl.Message) -> None:
    memory: Memory = cl.user_session.get("memory")
    memory.hear(message.id, message.content)
    asked = message.content.lower()
    if message.elements:
        await say("\n".join(describe(element) for element in message.elements))
    elif "show tasks" in asked:
        await show_tasks()
    elif kinds := gallery.wanted(asked):
        await show(kinds)
    elif "story" in asked:
        await say(await tell_story())
    elif "ask me" in asked:
        await ask()
    elif expression := find_sum(asked):
        await say_result(expression)
    else:
        await say(reply(message.content, memory))


async def say(text: str) -> None:
    """Stream an answer word by word."""
    settings = cl.user_session.get("chat_settings") or {}
    message = cl.Message("")
    for word in words(text.upper() if settings.get("shout") else text):
        await message.stream_token(word)
        await cl.sleep(settings.get("pace", 15) / 1000)
    await message.send()


async def say_result(expression: str) -> None:
    result = await abacus(expression)
    terse = cl.user_session.get("chat_profile") == "Abacus"
    await say(result if terse else f"{expression} is **{result}**.")


@cl.step(type="tool")
async def abacus(expression: str) -> str:
    return calculate(expression)


@cl.step(type="llm", name="pebble-1")
async def tell_story() -> str:
    """A model call would look like this; the numbers end up in `chainkeep report`."""
    count = len(list(words(STORY)))
    cl.context.current_step.generation = cl.ChatGeneration(
        provider="beach",
        model="pebble-1",
        messages=[cl.GenerationMessage(role="user", content="tell me a story")],
        input_token_count=4,
        output_token_count=count,
        token_count=count + 4,
    )
    return STORY


async def ask() -> None:
    given = await cl.AskUserMessage("What is your favourite shell?", timeout=120).send()
    if given:
        cl.user_session.get("memory").hear(given["id"], given["output"])
    await say(f"“{given['output']}” it is." if given else "Never mind.")


def describe(element: Element) -> str:
    content = Path(element.path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return f"- **{element.name}**: {len(content):,} bytes of `{element.mime}`, sha256 `{digest}…`"


async def show(kinds: list[str]) -> None:
    made = [gallery.make(kind) for kind in kinds]
    elements = [element for element in made if isinstance(element, Element)]
    names = ", ".join(element.name for element in elements)
    lines = [f"Here you are: {names}."] if elements else []
    lines += [
        f"To see more: `pip install {package}`." for package in made if isinstance(package, str)
    ]
    await cl.Message("\n\n".join(lines), elements=elements).send()
    if kinds == list(gallery.KINDS):
        await gallery.send_tasks()


async def show_tasks() -> None:
    await gallery.send_tasks()
    await say("The tasks are on the right.")


@cl.on_shared_thread_view
async def may_view(thread: ThreadDict, viewer: cl.User | None) -> bool:
    """Anyone who is logged in may read what its author shared."""
    return viewer is not None and bool(thread["metadata"].get("is_shared"))
