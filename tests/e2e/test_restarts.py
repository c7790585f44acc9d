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


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
async def test_a_server_that_is_asked_to_stop_first_writes_what_was_said(
    mortal_server: ChainlitServer, dave: Account, how: signal.Signals
):
    async with dave.chat() as chat:
        await chat.say("tell me a story")
        await chat.say("what is 12 * (3 + 4)?")
        mortal_server.restart(how)
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


async def test_a_server_that_stops_with_a_chat_open_has_nothing_to_complain_about(
    mortal_server: ChainlitServer, dave: Account
):
    mortal_server.log.write_text("")
    async with dave.chat() as chat:
        await chat.say("a last word")
        mortal_server.restart()
    log = mortal_server.log.read_text()
    assert "ERROR" not in log, log
    assert "Traceback" not in log, log
