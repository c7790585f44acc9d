"""The figures are written where they belong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.figures import BEGIN, END, Figures
from tests.support.server import REPOSITORY


@pytest.fixture
def figures() -> Figures:
    seen = Figures()
    seen.add("disk full", [1, 1000, 0, 0, 0, 0, 0])
    seen.add("app killed", [2, 500, 1, 0, 0, 0, 0])
    seen.add("disk full", [1, 1000, 0, 0, 0, 0, 0])
    return seen


def test_the_figures_of_a_fault_are_added_up_and_kills_come_first(figures: Figures) -> None:
    assert figures.rows() == [
        ("app killed", [2, 500, 1, 0, 0, 0, 0]),
        ("disk full", [2, 2000, 0, 0, 0, 0, 0]),
    ]
    table = figures.as_markdown(90)
    assert "| disk full | 2 | 2,000 | 0 | 0 | 0 | 0 | 0 |" in table
    assert "| **together** | | **2,500** | **1** | **0** |" in table


def test_what_stands_around_the_figures_stays(tmp_path: Path, figures: Figures) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN.format(page)}\nold\n{END}\nafter\n")
    figures.write_into(page, 90)
    figures.write_into(page, 90)
    text = page.read_text()
    assert "old" not in text
    assert text.count("disk full") == 1
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_the_page_has_the_lines_that_mark_the_figures() -> None:
    name = "docs/reliability.md"
    text = (REPOSITORY / name).read_text("utf-8")
    assert text.index(BEGIN.format(name)) < text.index(END)
