"""The example app with people logged in, and a second app with odd ways."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.support.places import make_server, place, postgresql_and_s3, server, sqlite_and_disk
from tests.support.server import ChainlitServer
from tests.support.socket_client import Account

__all__ = ["make_server", "place", "postgresql_and_s3", "server", "sqlite_and_disk"]

APPS = Path(__file__).parent / "apps"


@pytest.fixture
async def alice(server: ChainlitServer) -> AsyncIterator[Account]:
    """Alice, logged in."""
    async with Account(server.url) as account:
        yield await account.log_in("alice")


@pytest.fixture
async def bob(server: ChainlitServer) -> AsyncIterator[Account]:
    """Bob, logged in."""
    async with Account(server.url) as account:
        yield await account.log_in("bob")


@pytest.fixture(scope="session")
def odd_server(make_server: Callable[..., ChainlitServer]) -> Iterator[ChainlitServer]:
    """An app that asks before anything is said, and does to its messages whatever one may do."""
    with make_server(app=APPS / "odd.py") as running:
        yield running


@pytest.fixture
async def carol(odd_server: ChainlitServer) -> AsyncIterator[Account]:
    """Carol, logged in to the odd app."""
    async with Account(odd_server.url) as account:
        yield await account.log_in("carol")
