"""A server that is asked to stop in the middle of a conversation, and has nowhere to write."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from typing_extensions import override

from tests.faults.conftest import Distant, next_store
from tests.faults.talk import Orders
from tests.support.server import ChainlitServer
from tests.support.socket_client import Account
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

APPS = Path(__file__).parent / "apps"


class MountedServer(ChainlitServer):
    """The app mounted in a FastAPI app, under uvicorn."""

    @override
    def _command(self) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", "mounted:app", "--app-dir", str(APPS), *where]


class Handed:
    """What the app handed over: each step's newest text."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def texts(self) -> dict[str, str]:
        return dict(json.loads(line) for line in self.path.read_text("utf-8").splitlines())

    async def until(self, more: int) -> None:
        """Wait until that many more steps were handed over."""
        wanted = len(self.texts()) + more

        async def enough() -> bool:
            return len(self.texts()) >= wanted

        await eventually(enough)


@pytest.fixture
def orders(home: Path, distant: Distant) -> Orders:
    """How to read what the server kept."""
    return Orders(home=str(home), database={"url": distant.url})


@pytest.fixture
def handed(home: Path) -> Handed:
    return Handed(home / "notes")


@pytest.fixture
def chat_server(
    request: pytest.FixtureRequest, tmp_path: Path, orders: Orders, handed: Handed
) -> Iterator[ChainlitServer]:
    env = {
        "CHAINKEEP_DATABASE_URL": orders.database["url"],
        "CHAINKEEP_BLOBS": f"{orders.home}/blobs",
        "CHAINKEEP_JOURNAL": f"{orders.home}/journal",
        "CHAINKEEP_TEST_NOTES": str(handed.path),
    }
    root_path = "/chat" if request.param is MountedServer else ""
    server = request.param(tmp_path / "app", app=APPS / "chat.py", env=env, root_path=root_path)
    with server:
        yield server


# Each two of the three meet.
@pytest.mark.parametrize(
    ("chat_server", "how", "database_kind"),
    [
        (ChainlitServer, signal.SIGINT, "sqlite"),
        (ChainlitServer, signal.SIGTERM, "postgresql"),
        (MountedServer, signal.SIGINT, "postgresql"),
        (MountedServer, signal.SIGTERM, "sqlite"),
    ],
    indirect=["chat_server"],
)
async def test_a_server_that_is_stopped_keeps_what_it_cannot_write_any_more(
    chat_server: ChainlitServer,
    orders: Orders,
    handed: Handed,
    how: signal.Signals,
    distant: Distant,
) -> None:
    async with Account(chat_server.url) as account:
        await account.log_in("alice")
        async with account.chat() as chat:
            saying = asyncio.ensure_future(chat.say("go on"))
            await handed.until(20)
            async with distant.away():
                await handed.until(20)
                await asyncio.to_thread(chat_server.stop, how)
            saying.cancel()
            with suppress(asyncio.CancelledError):
                await saying
    async with next_store(orders) as store:
        steps = {step_id: await store.get_step(step_id) for step_id in handed.texts()}
    assert {step_id: step and step.output for step_id, step in steps.items()} == handed.texts()
