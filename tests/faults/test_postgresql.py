"""A PostgreSQL server that crashes, throws its clients out, or stays away."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.conftest import ROUNDS, MakeUrl, Talk, account
from tests.support import pgbouncer as pooler
from tests.support.faults import FaultProxy
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import PostgresDatabases, PostgresServer

THROW_OUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND"
    " pid <> pg_backend_pid()"
)


async def test_a_server_that_crashes_under_load_costs_nothing(
    start: Talk, server: PostgresServer
) -> None:
    app = start(server.url(await server.acreate_database()), patience=10)
    for _ in range(2 * ROUNDS):
        await app.until(200)
        await asyncio.to_thread(server.restart, "immediate")
    await app.until(200)
    await app.end()
    verdict = await account(
        app, what="PostgreSQL crashes (`stop -m immediate`), and is back", times=2 * ROUNDS
    )
    assert verdict.flawless, verdict


async def test_backends_that_are_terminated_all_the_time_cost_nothing(
    start: Talk, postgres: PostgresDatabases, make_postgres: MakeUrl
) -> None:
    url = make_postgres(False)
    app = start(url, patience=10)
    for _ in range(10 * ROUNDS):
        await app.until(50)
        await postgres.aexecute(THROW_OUT.format(url.rpartition("/")[2]))
    await app.until(50)
    await app.end()
    verdict = await account(app, what="PostgreSQL terminates every backend", times=10 * ROUNDS)
    assert verdict.flawless, verdict


async def test_a_server_that_stays_away_gets_everything_when_it_is_back(
    start: Talk, server: PostgresServer
) -> None:
    app = start(server.url(await server.acreate_database()), patience=0.1, threads=2)
    for _ in range(ROUNDS):
        await app.until(200)
        server.stop("immediate")
        await app.until_journalled()
        await app.until(500)
        server.start()
        await app.until_brought_in()
    await app.end()
    verdict = await account(app, what="PostgreSQL away for longer than the pauses", times=ROUNDS)
    assert verdict.flawless, verdict


async def test_apps_that_are_killed_while_the_server_is_away_lose_nothing_they_acknowledged(
    start: Talk, server: PostgresServer
) -> None:
    url = server.url(await server.acreate_database())
    apps = [start(url, patience=0.1)]
    for _ in range(ROUNDS):
        await apps[-1].until(200)
        server.stop("immediate")
        for _ in range(3):
            await apps[-1].until_journalled()
            await apps[-1].until(200)
            apps[-1].kill()
            apps.append(start(url, patience=0.1))
        await apps[-1].until(200)
        server.start()
        await apps[-1].until(200)
    await apps[-1].end()
    verdict = await account(
        *apps, what="PostgreSQL away, and the app killed meanwhile", times=3 * ROUNDS
    )
    assert verdict.flawless, verdict


async def test_an_app_that_closes_while_the_server_is_away_keeps_everything(
    start: Talk, server: PostgresServer
) -> None:
    app = start(server.url(await server.acreate_database()), patience=60)
    await app.until(100)
    server.stop("immediate")
    await asyncio.sleep(0.1)
    await app.end()
    assert [note for note in app.notes() if note.error] == []
    server.start()
    verdict = await account(app, what="PostgreSQL away, and the app closed meanwhile")
    assert verdict.flawless, verdict


@pytest.mark.skipif(pooler.PROGRAM is None, reason="pgbouncer is not installed")
async def test_a_pooler_that_is_restarted_under_load_costs_nothing(
    start: Talk, postgres: PostgresDatabases, make_postgres: MakeUrl
) -> None:
    name = make_postgres(False).rpartition("/")[2]
    with pgbouncer(postgres) as first:
        # Stands for an address that stays, for each pooler has a port of its own.
        async with FaultProxy(port_of(first)) as address:
            url = f"postgresql+asyncpg://postgres@127.0.0.1:{address.port}/{name}"
            app = start(url, patience=10, database={"pgbouncer": True})
            for _ in range(2 * ROUNDS):
                await app.until(200)
                address.reset()
                with pgbouncer(postgres) as another:
                    address._upstream = port_of(another)
                    await app.until(200)
                address._upstream = port_of(first)
            await app.end()
            verdict = await account(
                app, what="PgBouncer killed, or exchanged for another", times=4 * ROUNDS
            )
    assert verdict.flawless, verdict


def port_of(databases: PostgresDatabases) -> int:
    assert databases.server_url.port is not None
    return databases.server_url.port
