"""The page on the Thread API says what is so."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from chainkeep import threads as package
from chainkeep.threads import Threads

PAGE = Path(__file__).parents[2] / "docs" / "thread-api.md"
SNIPPETS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


async def run(snippet: str, names: dict[str, Any]) -> None:
    # The page's own code, run as a reader would: top-level await and all.
    done = eval(compile(snippet, str(PAGE), "exec", flags=FLAGS), names)  # noqa: S307
    if inspect.isawaitable(done):
        await done


def test_every_snippet_is_python() -> None:
    assert len(SNIPPETS) > 10
    for snippet in SNIPPETS:
        compile(snippet, str(PAGE), "exec", flags=FLAGS)


async def test_the_first_snippet_runs_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    await run(SNIPPETS[0], {})
    assert capsys.readouterr().out.splitlines() == [
        "1 user Where is my parcel?", "2 assistant On its way.",
    ]  # fmt: skip


async def test_the_snippets_run_one_after_the_other(threads: Threads) -> None:
    names: dict[str, Any] = {"threads": threads}
    for snippet in SNIPPETS[1:]:
        if not snippet.startswith("# "):
            await run(snippet, names)


def test_the_script_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [script] = [snippet for snippet in SNIPPETS if snippet.startswith("# script")]
    exec(compile(script, str(PAGE), "exec"), {})  # noqa: S102


def test_every_function_is_on_the_page() -> None:
    functions = {name for name in package.__all__ if inspect.isroutine(getattr(package, name))}
    assert {name for name in functions if f"{name}(" not in PAGE.read_text("utf-8")} == set()
