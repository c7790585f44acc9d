"""Blob stores for the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chainkeep.blobs.s3 import S3Blobs
from tests.support.faulty_network import Proxy, proxy_before
from tests.support.s3 import S3Server, moto_server, nanio_server

MakeS3 = Callable[..., S3Blobs]


@pytest.fixture(scope="session")
def nanio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server that checks signatures and their expiry."""
    pytest.importorskip("nanio", reason="nanio needs Python 3.11")
    with nanio_server(tmp_path_factory.mktemp("nanio")) as server:
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    """A server that speaks more of S3, and checks less."""
    with moto_server() as server:
        yield server


@pytest.fixture
async def make_s3(nanio: S3Server) -> AsyncIterator[MakeS3]:
    """Makes stores on one fresh bucket of nanio, with whatever other options; closes them."""
    bucket, made = nanio.make_bucket(), list[S3Blobs]()

    def make(**options: Any) -> S3Blobs:
        made.append(S3Blobs(bucket, **nanio.options(**options)))
        return made[-1]

    yield make
    for blobs in made:
        await blobs.close()


@pytest.fixture
def s3(make_s3: MakeS3) -> S3Blobs:
    """A store on a fresh bucket of nanio."""
    return make_s3()


@pytest.fixture
async def proxy(nanio: S3Server) -> AsyncIterator[Proxy]:
    """A proxy before nanio."""
    async with proxy_before(nanio.port) as proxy:
        yield proxy


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where an outbox may keep its spool; not made yet."""
    return tmp_path / "spool"
