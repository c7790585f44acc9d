"""The same on Ceph, which runs where ``CHAINKEEP_TEST_CEPH_URL`` says.

It reads ``http://access_key:secret_key@127.0.0.1:7480``; the tests make buckets of their own.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from tests.blobs.contract import ConcurrentBlobsContract
from tests.blobs.test_s3_contract import S3Contract
from tests.support.s3 import S3Server

URL = os.environ.get("CHAINKEEP_TEST_CEPH_URL", "")
if not URL:
    pytest.skip("CHAINKEEP_TEST_CEPH_URL is not set: no Ceph gateway", allow_module_level=True)


class TestS3BlobsOnCeph(S3Contract, ConcurrentBlobsContract):
    @pytest.fixture(scope="class")
    def server(self) -> S3Server:
        parts = urlsplit(URL)
        place = f"{parts.scheme}://{parts.hostname}:{parts.port}"
        return S3Server(place, str(parts.username), str(parts.password))
