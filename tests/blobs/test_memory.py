"""The size of a blob does not show in memory: measured in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.s3 import S3Server

# Prints by how many MiB the process grew at its largest while it stored and read the file.
PROGRAM = """
import asyncio, resource, sys
from pathlib import Path
from chainkeep.blobs.local import LocalBlobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def main(kind, large, url, access_key, secret_key, bucket):
    s3 = S3Blobs(bucket, endpoint_url=url, access_key=access_key, secret_key=secret_key)
    spool, directory = Path(large + "-spool"), Path(large + "-blobs")
    blobs = {"local": LocalBlobs(directory), "s3": s3, "outbox": Outbox(s3, spool)}[kind]
    await blobs.put("ab", b"loads boto3", content_type="text/plain")
    before = peak()
    await blobs.put("cd", Path(large), content_type="text/plain")
    if kind == "outbox":
        await blobs.drain(120)
    size = 0
    async for piece in blobs.stream("cd"):
        size += len(piece)
    assert size == Path(large).stat().st_size
    print(peak() - before)
    await blobs.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kind", ["local", "s3", "outbox"])
async def test_a_large_file_takes_a_few_mebibytes(
    kind: str, nanio: S3Server, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    place = [nanio.url, nanio.access_key, nanio.secret_key, nanio.make_bucket()]
    command = [sys.executable, "-c", PROGRAM, kind, str(large), *place]

    ran = await asyncio.to_thread(subprocess.run, command, stdout=subprocess.PIPE, check=True)

    assert float(ran.stdout) < 48
