"""Runs one of the apps here on a loopback port, by `chainlit run` or by uvicorn."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.server import free_port

APPS = Path(__file__).parent
SECRET = "a secret that signs cookies and addresses in tests"


@contextmanager
def served(home: Path, *, root_path: str = "", **env: str) -> Iterator[httpx.Client]:
    """The app of elements.py under ``chainlit run``; a client of its root, while it runs."""
    root = ["--root-path", root_path] if root_path else []
    app = [str(APPS / "elements.py"), "--headless", *root]
    with _running(["chainlit", "run", *app], home, root_path, env) as client:
        yield client


@contextmanager
def served_mounted(home: Path) -> Iterator[httpx.Client]:
    """The app of mounted.py under uvicorn; a client of what is mounted."""
    app = ["mounted:app", "--app-dir", str(APPS)]
    with _running(["uvicorn", *app], home, "/behind/chat", {}) as client:
        yield client


@contextmanager
def _running(
    program: list[str], home: Path, root: str, env: dict[str, str]
) -> Iterator[httpx.Client]:
    port = free_port()
    command = [sys.executable, "-m", *program, "--host", "127.0.0.1", "--port", str(port)]
    surroundings = {**os.environ, "CHAINLIT_AUTH_SECRET": SECRET, "CHAINLIT_APP_ROOT": str(home)}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=home, env={**surroundings, **env}, stdout=log, stderr=log
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}{root}") as client:
            _wait_until_ready(client, server, home / "log")
            yield client
    finally:
        server.terminate()
        server.wait(15)


def _wait_until_ready(client: httpx.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not _answers(client):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server did not start:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


@contextmanager
def log_in(client: httpx.Client, name: str) -> Iterator[httpx.Client]:
    """Another client of the same server, logged in as that user."""
    with httpx.Client(base_url=client.base_url) as one:
        one.post("/login", data={"username": name, "password": name}).raise_for_status()
        yield one
