"""S3 servers for the tests: real ones, each a process of its own on a free loopback port.

nanio checks signatures and expiry as Amazon does, and keeps its objects as plain files. moto checks
neither, but speaks more of the language, and runs on every Python that chainkeep supports.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCESS_KEY, SECRET_KEY = "chainkeep-tests", "not-a-secret-at-all"


@dataclass
class S3Server:
    """A server that listens."""

    url: str
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    @cached_property
    def client(self) -> S3Client:
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def make_bucket(self) -> str:
        name = f"chainkeep-{uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def options(self, **more: Any) -> dict[str, Any]:
        """What ``S3Blobs`` needs to know besides the bucket; fails fast where the server does."""
        return {
            "endpoint_url": self.url,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "max_attempts": 1,
        } | more


@contextmanager
def nanio_server(directory: Path, port: int | None = None) -> Iterator[S3Server]:
    """nanio, with its objects in the directory."""
    port = port or free_port()
    command = ["nanio", "serve", "--data-dir", str(directory), "--host", "127.0.0.1"]
    directory.mkdir(exist_ok=True)
    environment = {"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": SECRET_KEY}
    with _running([*command, "--port", str(port)], environment, port) as server:
        yield server


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """moto, with its objects in memory."""
    port = free_port()
    with _running(["moto.server", "-H", "127.0.0.1", "-p", str(port)], {}, port) as server:
        yield server


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(module: list[str], environment: dict[str, str], port: int) -> Iterator[S3Server]:
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", *module],
                env=os.environ | environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(process.kill)
        _wait_until_it_listens(process, port)
        yield S3Server(f"http://127.0.0.1:{port}")


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    give_up = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"No S3 server came up on port {port}; its exit code: {process.poll()}")
