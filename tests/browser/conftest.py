"""A browser, and windows of alice and bob before the example app."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.support.places import make_server, place, postgresql_and_s3, server, sqlite_and_disk
from tests.support.server import ChainlitServer
from tests.support.ui import CHROMIUM, Ui, chromium, logged_in, window

__all__ = ["make_server", "place", "postgresql_and_s3", "server", "sqlite_and_disk"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    if not CHROMIUM:
        _chromium_is_missing()
    async with chromium() as running:
        yield running


def _chromium_is_missing() -> None:
    message = "no Chromium found; install the package chromium, or set CHAINKEEP_CHROMIUM"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def profile_of_alice(
    browser: Browser, server: ChainlitServer
) -> AsyncIterator[BrowserContext]:
    async with logged_in(browser, server.url, "alice") as profile:
        yield profile


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def profile_of_bob(browser: Browser, server: ChainlitServer) -> AsyncIterator[BrowserContext]:
    async with logged_in(browser, server.url, "bob") as profile:
        yield profile


@pytest_asyncio.fixture(loop_scope="session")
async def alice(profile_of_alice: BrowserContext, server: ChainlitServer) -> AsyncIterator[Ui]:
    """A window in which alice is logged in."""
    async with window(profile_of_alice, server.url) as ui:
        yield ui


@pytest_asyncio.fixture(loop_scope="session")
async def bob(profile_of_bob: BrowserContext, server: ChainlitServer) -> AsyncIterator[Ui]:
    """A window in which bob is logged in."""
    async with window(profile_of_bob, server.url) as ui:
        yield ui
