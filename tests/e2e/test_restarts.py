"""A server that stops, or is stopped, and starts again."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from tests.support.server import ChainlitServer
from tests.support.socket_client import Account

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def mortal_server(make_server: Callable[..., ChainlitServer]) -> Iterator[ChainlitServer]:
    """The example app, for tests that end it."""
    with make_server() as running:
        yield running


@pytest.fixture
async def dave(mortal_server: ChainlitServer) -> AsyncIterator[Account]:
    """Alice, logged in to the server that will be ended."""
    async with Account(mortal_server.url) as account:
        yield await account.log_in("alice")


@pytest.fixture
def how(place: str) -> signal.Signals:
    """What a server is stopped by: each of the two at one place, for a start takes long; both meet
    either kind of server and of database in tests/faults.
    """
    return signal.SIGINT if place == "sqlite-disk" else signal.SIGTERM


async def test_a_server_that_is_stopped_with_a_chat_open_writes_what_was_said_without_complaint(
    mortal_server: ChainlitServer, dave: Account, how: signal.Signals
):
    mortal_server.log.write_text("")
    async with dave.chat() as chat:
        await chat.say("tell me a story")
        await chat.say("what is 12 * (3 + 4)?")
        mortal_server.restart(how)
    log = mortal_server.log.read_text()
    assert "ERROR" not in log, log
    assert "Traceback" not in log, log
    async with dave.chat(chat.thread_id) as resumed:
        assert resumed.texts() == chat.texts()
        assert [step["output"] for step in resumed.steps("tool")] == ["84"]


async def test_what_could_be_read_once_survives_a_power_cut(
    mortal_server: ChainlitServer, dave: Account
):
    async with dave.chat() as chat:
        await chat.say("show everything")
        seen = (await dave.thread(chat.thread_id)).json()
        mortal_server.restart(signal.SIGKILL)
    again = (await dave.thread(chat.thread_id)).json()
    assert again["steps"] == seen["steps"]
    assert again["elements"] == seen["elements"]
