from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chainkeep.blobs import Blobs
from chainkeep.blobs.local import LocalBlobs
from tests.blobs.contract import ConcurrentBlobsContract


class TestLocalBlobs(ConcurrentBlobsContract):
    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> AsyncIterator[Blobs]:
        blobs = LocalBlobs(tmp_path / "blobs")
        yield blobs
        await blobs.close()
