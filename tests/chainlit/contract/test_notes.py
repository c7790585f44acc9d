"""The notes on what Chainlit demands: each names where it comes from, and tests that are there."""

from __future__ import annotations

import ast
import re
from importlib.metadata import version
from pathlib import Path

import chainlit
import pytest

from tests.support.parsing import parsed

HERE = Path(__file__).parent
NOTES = (HERE.parents[2] / "docs" / "chainlit-contract.md").read_text("utf-8")
SECTIONS = re.split(r"^## ", NOTES, flags=re.MULTILINE)[1:]
TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
SOURCE = re.compile(r"`([\w/]+\.py):(\d+) ([^`]+)`")


def _names_in(path: Path) -> set[str]:
    tree = parsed(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def _known() -> set[tuple[str, str]]:
    return {(path.name, name) for path in HERE.glob("test_*.py") for name in _names_in(path)}


def test_notes_are_numbered_one_by_one():
    titles = [section.partition("\n")[0] for section in SECTIONS]
    assert [title.partition(". ")[0] for title in titles] == [
        f"C{number}" for number in range(1, len(titles) + 1)
    ]


@pytest.mark.parametrize("note", SECTIONS, ids=lambda note: note.partition(".")[0])
def test_a_note_names_its_source_and_tests_that_exist(note: str):
    assert SOURCE.search(note)
    named = TEST.findall(note)
    assert named
    assert set(named) - _known() == set()


def test_every_source_is_where_the_note_says():
    if not version("chainlit").startswith("2.12."):
        pytest.skip("the notes are about Chainlit 2.12")
    package = Path(chainlit.__file__).parent
    for file, line, word in SOURCE.findall(NOTES):
        text = (package / file).read_text("utf-8").splitlines()[int(line) - 1]
        assert word in text, f"{file}:{line} is {text.strip()}"
