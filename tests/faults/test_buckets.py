"""A bucket that refuses, hangs, or drops half an upload: the bytes wait on the app's own disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlencode

import pytest

from tests.faults.conftest import ROUNDS, App, Talk, account
from tests.support.faulty_network import Proxy, proxy_before
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, S3Server, moto_server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with moto_server() as running:
        yield running


@pytest.fixture
async def proxy(s3: S3Server) -> AsyncIterator[Proxy]:
    """Stands before the bucket."""
    async with proxy_before(s3.port) as before:
        yield before


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    return s3.make_bucket()


@pytest.fixture
def start_attaching(start: Talk, proxy: Proxy, bucket: str, database_url: str) -> Talk:
    """Starts apps that attach something to each step, and whose bucket is behind the proxy."""
    query = urlencode({"endpoint_url": proxy.url, "region": "us-east-1", "max_attempts": "1"})
    orders = {"attachments": True, "threads": 2, "blobs": f"s3://{bucket}/kept?{query}"}
    return lambda: start(database_url, **orders)


async def nothing_lost(*apps: App, what: str) -> None:
    """Both the steps and what was attached to them are there."""
    assert sum(len(app.attachments()) for app in apps) > 0
    verdict = await account(*apps, what=what)
    assert verdict.flawless, verdict


async def test_uploads_that_are_cut_off_half_way_arrive_in_the_end(
    start_attaching: Talk, proxy: Proxy
) -> None:
    app = start_attaching()
    await app.until(50)
    proxy.cut_after = 400
    await app.until_attached(20 * ROUNDS)
    assert proxy.cuts > 0
    proxy.cut_after = None
    await app.until(50)
    await app.end()
    await nothing_lost(app, what="bucket: half of each upload dropped")


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_a_bucket_that_refuses_connections_gets_everything_when_it_is_back(
    start_attaching: Talk, proxy: Proxy
) -> None:
    app = start_attaching()
    await app.until(50)
    proxy.cut_after = 0
    await app.until_attached(20)
    proxy.cut_after = None
    await app.end()
    await nothing_lost(app, what="bucket refuses")


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_an_app_that_is_killed_while_its_bucket_hangs_loses_no_attachment(
    start_attaching: Talk, proxy: Proxy
) -> None:
    first = start_attaching()
    await first.until(50)
    proxy.open.clear()
    await first.until_attached(10)
    first.kill()
    proxy.open.set()
    second = start_attaching()
    await second.until(50)
    await second.end()
    await nothing_lost(first, second, what="bucket hangs, and the app killed meanwhile")
