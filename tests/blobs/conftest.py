"""Blob stores for the tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from chainkeep.blobs.s3 import S3Blobs
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


@pytest.fixture(scope="session")
def ceph() -> S3Server:
    """The Ceph gateway at CHAINKEEP_TEST_CEPH_URL, such as ``http://key:secret@127.0.0.1:7480``."""
    url = os.environ.get("CHAINKEEP_TEST_CEPH_URL")
    if not url:
        pytest.skip("CHAINKEEP_TEST_CEPH_URL is not set: no Ceph gateway to test against")
    scheme, _, rest = url.partition("://")
    credentials, _, place = rest.rpartition("@")
    access_key, _, secret_key = credentials.partition(":")
    return S3Server(f"{scheme}://{place}", access_key, secret_key)
