"""Several processes that share one database."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from chainkeep.store import Store
from tests.store import worker
from tests.store.conftest import OpenStore

NAMES = ("one", "two", "three", "four")


@contextmanager
def process(url: str, name: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, worker.__file__, url, name, str(home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=home
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def write_from_all(url: str, home: Path) -> dict[str, list[str]]:
    """Let all processes write at once; the errors of each."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(process(url, name, home)) for name in NAMES}
        for each in running.values():
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in running.values():
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return {name: json.loads(each.communicate(timeout=60)[0]) for name, each in running.items()}


@pytest.fixture
def errors(empty_database_url: str, tmp_path: Path) -> dict[str, list[str]]:
    """What four processes ran into that made the tables and wrote the same threads together."""
    return write_from_all(empty_database_url, tmp_path)


@pytest.fixture
def after(errors: dict[str, list[str]], empty_database_url: str, open_store: OpenStore) -> Store:
    """A store on the database as the processes left it."""
    assert errors == {name: [] for name in NAMES}
    return open_store(empty_database_url)


async def test_four_processes_write_the_same_threads_and_lose_nothing(after: Store) -> None:
    for number in range(worker.THREADS):
        content = await after.get_thread(f"t{number}")
        assert content is not None
        assert {(step.id, step.output) for step in content.steps} == {
            (f"{name}.{number}.{n}", "last") for name in NAMES for n in range(worker.STEPS)
        }
        assert all(step.feedback and step.feedback.value == 1 for step in content.steps)
        assert content.thread.metadata == {
            f"{name}.{n}": n for name in NAMES for n in range(worker.STEPS)
        }
        assert content.thread.user_identifier == "ada"
        assert content.thread.last_activity_at == worker.MOMENT.format(worker.STEPS - 1)
