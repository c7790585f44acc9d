"""A network between the app and PostgreSQL that breaks, stalls, or swallows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.conftest import ROUNDS, App, MakeUrl, Talk, account
from tests.support.faults import FaultProxy
from tests.support.postgres import PostgresDatabases

ANYTHING = b""


@pytest.fixture
async def proxy(postgres: PostgresDatabases) -> AsyncIterator[FaultProxy]:
    """Stands before the server."""
    port = postgres.server_url.port
    assert port is not None
    async with FaultProxy(port) as before:
        yield before


@pytest.fixture
def url(proxy: FaultProxy, make_postgres: MakeUrl) -> str:
    """The way through the proxy to an empty database."""
    name = make_postgres(False).rpartition("/")[2]
    return f"postgresql+asyncpg://postgres@127.0.0.1:{proxy.port}/{name}"


@pytest.fixture
async def app(start: Talk, url: str) -> App:
    """An app that reaches its database through the proxy, and notices a dead one in a second."""
    return start(url, database={"connect_args": {"command_timeout": 1, "timeout": 1}})


async def test_connections_that_are_reset_cost_nothing(app: App, proxy: FaultProxy) -> None:
    for _ in range(10 * ROUNDS):
        await app.until(50)
        proxy.reset()
    await app.until(50)
    await app.end()
    verdict = await account(app, what="connections reset", times=10 * ROUNDS)
    assert verdict.flawless, verdict


async def test_a_commit_whose_answer_is_cut_off_is_not_lost_and_not_done_twice(
    app: App, proxy: FaultProxy
) -> None:
    for _ in range(10 * ROUNDS):
        proxy.cut_answer_to(b"COMMIT;")
        await asyncio.wait_for(proxy.cut.wait(), 20)
        await app.until(50)
        # What is in the journal is brought in with commits: another cut would hit them alone.
        await app.until_brought_in()
    await app.end()
    verdict = await account(app, what="answer to a commit cut off", times=10 * ROUNDS)
    assert verdict.flawless, verdict


async def test_a_statement_whose_answer_is_cut_off_is_not_lost_and_not_done_twice(
    start: Talk, proxy: FaultProxy, url: str
) -> None:
    # An app that awaits each write has many that are transactions by themselves.
    app = start(url, in_flight=0)
    for _ in range(10 * ROUNDS):
        await app.until(20)
        proxy.cut_answer_to(ANYTHING)
        await asyncio.wait_for(proxy.cut.wait(), 20)
    await app.until(20)
    await app.end()
    verdict = await account(app, what="answer to a statement cut off", times=10 * ROUNDS)
    assert verdict.flawless, verdict


async def test_a_network_that_swallows_everything_delays_it(app: App, proxy: FaultProxy) -> None:
    for _ in range(ROUNDS):
        await app.until(100)
        proxy.swallow()
        await app.until_journalled()
        await app.until(300)
        proxy.release()
        await app.until(100)
    await app.end()
    verdict = await account(app, what="black hole: the network swallows everything", times=ROUNDS)
    assert verdict.flawless, verdict


async def test_a_black_hole_does_not_keep_an_app_from_ending(app: App, proxy: FaultProxy) -> None:
    await app.until(100)
    proxy.swallow()
    await app.end(seconds=20)
    proxy.release()
    verdict = await account(app, what="black hole, and the app closed in it")
    assert verdict.flawless, verdict


async def test_a_slow_network_costs_time_only(app: App, proxy: FaultProxy) -> None:
    await app.until(100)
    proxy.latency = 0.05
    await app.until(100)
    proxy.latency = 0
    await app.end()
    verdict = await account(app, what="50 ms of latency")
    assert verdict.flawless, verdict
