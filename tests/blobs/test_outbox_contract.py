from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chainkeep.blobs import Blobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from tests.blobs.contract import ConcurrentBlobsContract


class TestOutboxBeforeS3(ConcurrentBlobsContract):
    @pytest.fixture
    async def blobs(self, s3: S3Blobs, tmp_path: Path) -> AsyncIterator[Blobs]:
        blobs = Outbox(s3, tmp_path / "spool")
        yield blobs
        await blobs.close()
