"""A real PgBouncer in transaction mode, before a PostgreSQL server of the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult

from tests.support.postgres import PostgresDatabases
from tests.support.server import free_port

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")

_READY_WITHIN = 10.0

# Fewer server connections than the tests have clients: they must take turns.
_CONFIGURATION = """
[databases]
* = host={server.hostname} port={server.port} user={server.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(server: PostgresDatabases) -> Iterator[PostgresDatabases]:
    """The server's databases as they are reached through the pooler."""
    assert PROGRAM is not None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="chainkeep-pgbouncer-") as home:
        configuration = Path(home, "pgbouncer.ini")
        configuration.write_text(_configuration(server.server_url, port), "utf-8")
        with Path(home, "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, *_as_nobody(Path(home)), str(configuration)], stdout=log, stderr=log
            )
        try:
            _wait_until_ready(process, port, Path(home, "log"))
            pooled = server.server_url._replace(netloc=f"postgres@127.0.0.1:{port}")
            yield PostgresDatabases(pooled.geturl())
        finally:
            process.kill()
            process.wait()


def _configuration(server: SplitResult, port: int) -> str:
    return _CONFIGURATION.format(server=server, port=port)


def _as_nobody(home: Path) -> list[str]:
    # PgBouncer refuses to run as root.
    if os.geteuid() != 0:
        return []
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    return ["-u", "nobody"]


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not _accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PgBouncer did not start:\n{log.read_text()}")
        time.sleep(0.02)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
