"""A real `chainlit run`, on a loopback port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "chainlit_app"

READY_WITHIN = 60.0
STOPPED_WITHIN = 15.0


class ChainlitServer:
    """One app, run by Chainlit's command line from a copy of its directory.

    ``env`` is added to this process's environment; variables of Chainlit and chainkeep are not
    inherited. Stopping and starting again serves the same data on the same port. As a context
    manager it runs for the block.
    """

    def __init__(
        self,
        home: Path,
        *,
        app: Path = EXAMPLE / "app.py",
        env: Mapping[str, str] | None = None,
        root_path: str = "",
    ) -> None:
        self.home = home
        self.log = home.with_suffix(".log")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{root_path}"
        self._root_path = root_path
        self._env = _environment(home, env or {})
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copytree(
            EXAMPLE,
            home,
            ignore=shutil.ignore_patterns(
                ".chainkeep", ".files", "__pycache__", "screenshots", "translations"
            ),
        )
        self._app = home / app.name
        if app.parent != EXAMPLE:
            shutil.copy(app, self._app)

    @property
    def kept(self) -> dict[str, str]:
        """The variables that say where its data is, for another process that opens it."""
        return {k: v for k, v in self._env.items() if k.startswith(("CHAINKEEP_", "AWS_"))}

    @property
    def pid(self) -> int:
        """The server's process id, while it runs."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Return when the server answers; ``RuntimeError`` with its log when it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.home, env=self._env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask the server to end, as Ctrl-C or a supervisor would, and return its exit code.

        A server that does not end in time is killed, and ``TimeoutError`` raised.
        """
        assert self._process is not None, "the server is not running"
        self._process.send_signal(how)
        try:
            return self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"no end after {how.name}:\n{self.log.read_text()}") from error
        finally:
            self.kill()

    def kill(self) -> None:
        """End the server as a power cut would; without effect when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start again, on the same data."""
        self.kill() if how is signal.SIGKILL else self.stop(how)
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()

    def _command(self) -> list[str]:
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        root = ["--root-path", self._root_path] if self._root_path else []
        run = [sys.executable, "-m", "chainlit", "run", str(self._app), "--headless"]
        return [*run, *where, *root]

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", f"{self._root_path}/health")
            return connection.getresponse().status == HTTPStatus.OK
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    ours = ("CHAINLIT_", "CHAINKEEP_", "DATABASE_URL", "LITERAL_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {
        **inherited,
        "CHAINLIT_APP_ROOT": str(home),
        "CHAINLIT_AUTH_SECRET": "a secret that signs the cookies of tests",
        "PYTHONUNBUFFERED": "1",
        **extra,
    }
