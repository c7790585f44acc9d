from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chainkeep.blobs import Blobs
from chainkeep.blobs.s3 import S3Blobs
from tests.blobs.contract import BlobsContract, ConcurrentBlobsContract
from tests.support.s3 import S3Server


class S3Contract:
    @pytest.fixture
    async def blobs(self, server: S3Server) -> AsyncIterator[Blobs]:
        blobs = S3Blobs(server.make_bucket(), prefix="attachments", **server.options())
        yield blobs
        await blobs.close()


class TestS3BlobsOnNanio(S3Contract, ConcurrentBlobsContract):
    @pytest.fixture
    def server(self, nanio: S3Server) -> S3Server:
        return nanio


class TestS3BlobsOnMoto(S3Contract, BlobsContract):
    @pytest.fixture
    def server(self, moto: S3Server) -> S3Server:
        return moto
