"""A Chainlit app that says a hundred things a question, and notes what it hands over to be kept."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import chainlit as cl
from chainlit.step import StepDict
from typing_extensions import override

from chainkeep import ChainkeepDataLayer

NOTES = Path(os.environ["CHAINKEEP_TEST_NOTES"]).open("a", encoding="utf-8")  # noqa: SIM115 - for life


class NotingDataLayer(ChainkeepDataLayer):
    """Notes each write as it is handed over."""

    @override
    async def create_step(self, step_dict: StepDict) -> None:
        note(step_dict)
        await super().create_step(step_dict)

    @override
    async def update_step(self, step_dict: StepDict) -> None:
        note(step_dict)
        await super().update_step(step_dict)


def note(step: StepDict) -> None:
    NOTES.write(json.dumps([step["id"], step["output"]]) + "\n")
    NOTES.flush()


@cl.data_layer
def data_layer() -> NotingDataLayer:
    layer = NotingDataLayer(connect_args={"timeout": 0.2})
    layer.store._writer._retry_seconds = 2
    return layer


@cl.password_auth_callback
async def log_in(username: str, password: str) -> cl.User | None:
    return cl.User(identifier=username) if username == password else None


@cl.on_message
async def answer(_message: cl.Message) -> None:
    for number in range(100):
        said = await cl.Message(f"{number}").send()
        said.content += ", and more"
        await said.update()
        await asyncio.sleep(0.01)
