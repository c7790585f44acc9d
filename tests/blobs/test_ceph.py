"""The same on Ceph, which runs where ``CHAINKEEP_TEST_CEPH_URL`` says.

It reads ``http://access_key:secret_key@127.0.0.1:7480``; the tests make buckets of their own.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from tests.blobs import test_s3, test_s3_urls
from tests.blobs.contract import ConcurrentBlobsContract
from tests.blobs.test_s3_contract import S3Contract
from tests.support.s3 import S3Server

URL = os.environ.get("CHAINKEEP_TEST_CEPH_URL", "")
if not URL:
    pytest.skip("CHAINKEEP_TEST_CEPH_URL is not set: no Ceph gateway", allow_module_level=True)


@pytest.fixture(scope="module")
def ceph() -> S3Server:
    parts = urlsplit(URL)
    place = f"{parts.scheme}://{parts.hostname}:{parts.port}"
    return S3Server(place, str(parts.username), str(parts.password))


class TestS3BlobsOnCeph(S3Contract, ConcurrentBlobsContract):
    @pytest.fixture
    def server(self, ceph: S3Server) -> S3Server:
        return ceph


class InPlaceOfNanio:
    @pytest.fixture
    def nanio(self, ceph: S3Server) -> S3Server:
        return ceph


class TestSignedUrlsOnCeph(InPlaceOfNanio, test_s3_urls.TestSignedUrls):
    pass


class TestFaultsOnCeph(InPlaceOfNanio, test_s3.TestFaults):
    pass


class TestTheBucketOnCeph(InPlaceOfNanio, test_s3.TestTheBucket):
    pass


class TestPartsOnCeph(InPlaceOfNanio, test_s3.TestParts):
    pass
