"""``S3Blobs`` as Chainlit's kind of storage client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainkeep.blobs.s3 import S3Blobs
from chainkeep.errors import BlobError, TransientBlobError
from tests.blobs.conftest import MakeS3
from tests.blobs.contract import listed, read
from tests.support.s3 import S3Server, free_port

PROGRAM = Path(__file__).with_name("chainlits_own_layer.py")
KEY = "alice/element/name.txt"


async def test_an_upload_answers_with_a_url_that_works(s3: S3Blobs) -> None:
    answer = await s3.upload_file(KEY, b"bytes", "text/plain")

    assert answer["object_key"] == KEY
    async with httpx.AsyncClient() as client:
        assert (await client.get(answer["url"])).content == b"bytes"


async def test_text_is_uploaded_as_utf8(s3: S3Blobs) -> None:
    await s3.upload_file(KEY, "Grüße", "text/plain")

    assert await read(s3, KEY) == "Grüße".encode()


async def test_an_upload_may_refuse_to_overwrite(s3: S3Blobs) -> None:
    await s3.upload_file(KEY, b"first", overwrite=False)
    with pytest.raises(BlobError, match="already"):
        await s3.upload_file(KEY, b"second", overwrite=False)

    assert await read(s3, KEY) == b"first"


async def test_a_deletion_answers_true(s3: S3Blobs) -> None:
    await s3.upload_file(KEY, b"bytes")

    assert await s3.delete_file(KEY) is True
    assert await listed(s3) == set()


async def test_failures_are_raised(make_s3: MakeS3) -> None:
    blobs = make_s3(endpoint_url=f"http://127.0.0.1:{free_port()}", connect_timeout=1)

    with pytest.raises(TransientBlobError):
        await blobs.upload_file(KEY, b"bytes")
    with pytest.raises(TransientBlobError):
        await blobs.delete_file(KEY)


@pytest.mark.e2e
async def test_it_serves_chainlits_own_data_layer(nanio: S3Server, tmp_path: Path) -> None:
    place = [nanio.url, nanio.access_key, nanio.secret_key, nanio.make_bucket()]
    command = [sys.executable, str(PROGRAM), str(tmp_path / "layer.db"), *place]

    ran = await asyncio.to_thread(
        subprocess.run,
        command,
        env=os.environ | {"CHAINLIT_APP_ROOT": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=True,
    )

    gave: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert gave["content"] == "bytes"
    assert gave["keys"] == [gave["stored"]["objectKey"]]
    assert gave["stored"]["url"].startswith(f"{nanio.url}/")
    assert gave["left"] == []
