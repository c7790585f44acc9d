"""The house rules that a program can check; `lint-imports` checks who imports whom."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.support.parsing import parsed

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "chainkeep"

LONGEST_FUNCTION, LONGEST_CLASS, LONGEST_FILE = 40, 250, 400
MEDIAN_FUNCTION, NINTH_DECILE_FUNCTION = 5, 15

SQL = re.compile(
    r"\bSELECT\s+[\w\"*(]|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+[\w\"]+\s+SET\b"
    r"|\bDELETE\s+FROM\b|\b(CREATE|ALTER|DROP)\s+(TABLE|INDEX|TRIGGER)\b"
)
SQL_ROOMS = ("db/migrations/",)

DIALECT = re.compile(r"sqlite|postgres", re.IGNORECASE)
DIALECT_ROOMS = (
    "cli/",
    "db/dialects.py",
    "db/migrations/",
    "settings.py",
    "testing/",
    "transfer/",
)

# Where writes are handed on whatever went wrong with one; and where an app's object names itself.
CATCH_ALL_ROOMS = ("db/writer.py", "values.py")

EMPTY_WORDS = re.compile(r"(^|_)(helpers?|utils?|manager)(_|$)|^_*(process|handle)_")


@dataclass(frozen=True)
class Module:
    name: str
    text: str
    tree: ast.Module

    def at(self, line: int, what: str) -> str:
        return f"{self.name}:{line} {what}"

    def is_in(self, rooms: tuple[str, ...]) -> bool:
        return self.name.startswith(rooms)


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return [
        Module(path.relative_to(SOURCE).as_posix(), text := path.read_text("utf-8"), parsed(text))
        for path in sorted(SOURCE.rglob("*.py"))
    ]


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def docstring(node: ast.AST) -> ast.Constant | None:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value
    return None


def body_lines(function: Function) -> int:
    body = function.body[1:] if docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def prose(module: Module) -> set[ast.Constant]:
    """The strings that say something instead of doing something: docstrings of all kinds."""
    return {
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def strings(module: Module) -> Iterator[ast.Constant]:
    said = prose(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node


def words(module: Module) -> Iterator[tuple[int, str]]:
    """Every name and string of the code, with its line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.alias | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
    for node in strings(module):
        yield node.lineno, str(node.value)


def expect_none(offences: Iterable[str]) -> None:
    found = list(offences)
    assert not found, "\n".join(["", *found])


class Untidy:
    """Parses when it is collected."""

    def __init__(self) -> None:
        self.myself = self

    def __del__(self) -> None:
        ast.parse("said = [1, (2, 3)]")


def test_what_is_collected_meanwhile_does_not_disturb_the_parser() -> None:
    text = Path(__file__).read_text("utf-8")
    thresholds = gc.get_threshold()
    gc.set_threshold(100, 1, 1)
    try:
        for _ in range(20):
            _ = [Untidy() for _ in range(5)]
            assert parsed(text).body
    finally:
        gc.set_threshold(*thresholds)


def test_no_function_is_longer_than_a_screen(modules: list[Module]) -> None:
    expect_none(
        module.at(function.lineno, f"{function.name}: {body_lines(function)} lines")
        for module in modules
        for function in functions(module)
        if body_lines(function) > LONGEST_FUNCTION
    )


def test_functions_are_short_on_the_whole(modules: list[Module]) -> None:
    sizes = [body_lines(function) for module in modules for function in functions(module)]
    assert median(sizes) <= MEDIAN_FUNCTION
    assert quantiles(sizes, n=10)[-1] <= NINTH_DECILE_FUNCTION


def test_no_class_is_a_house_of_its_own(modules: list[Module]) -> None:
    expect_none(
        module.at(node.lineno, f"{node.name}: {size} lines")
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and (size := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_CLASS
    )


def test_no_file_is_too_long_to_read(modules: list[Module]) -> None:
    expect_none(
        f"{module.name}: {lines} lines"
        for module in modules
        if (lines := len(module.text.splitlines())) > LONGEST_FILE
    )


def test_sql_stands_in_sql_files_and_migrations(modules: list[Module]) -> None:
    expect_none(
        module.at(node.lineno, repr(node.value)[:60])
        for module in modules
        if not module.is_in(SQL_ROOMS)
        for node in strings(module)
        if SQL.search(str(node.value))
    )


def test_no_statement_takes_whatever_columns_there_are() -> None:
    expect_none(
        path.name
        for path in SOURCE.rglob("*.sql")
        if re.search(r"select\s+\*", path.read_text(), re.IGNORECASE)
    )


def test_the_databases_are_named_only_where_they_differ(modules: list[Module]) -> None:
    expect_none(
        module.at(line, word[:60])
        for module in modules
        if not module.is_in(DIALECT_ROOMS)
        for line, word in words(module)
        if DIALECT.search(word)
    )


def test_nothing_catches_whatever_comes(modules: list[Module]) -> None:
    expect_none(
        module.at(node.lineno, "catches everything")
        for module in modules
        if not module.is_in(CATCH_ALL_ROOMS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    )


def catches_everything(handler: ast.ExceptHandler) -> bool:
    names = ast.walk(handler.type) if handler.type else ()
    return handler.type is None or any(
        isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names
    )


def test_names_say_something(modules: list[Module]) -> None:
    expect_none(module.name for module in modules if EMPTY_WORDS.search(Path(module.name).stem))
    expect_none(
        module.at(node.lineno, node.name)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and EMPTY_WORDS.search(node.name)
    )


@pytest.mark.parametrize(
    ("rule", "offence"),
    [
        (SQL, "SELECT name FROM users"),
        (SQL, 'UPDATE "threads" SET name = 1'),
        (SQL, "DELETE FROM steps"),
        (DIALECT, "sqlite+aiosqlite://"),
        (DIALECT, "PostgreSQL"),
        (EMPTY_WORDS, "handle_message"),
        (EMPTY_WORDS, "_process_row"),
        (EMPTY_WORDS, "string_utils"),
    ],
)
def test_the_rules_notice_an_offence(rule: re.Pattern[str], offence: str) -> None:
    assert rule.search(offence)


@pytest.mark.parametrize(
    ("rule", "innocent"),
    [(SQL, "Select a thread, then delete it from the list"), (EMPTY_WORDS, "handles_per_process")],
)
def test_the_rules_leave_plain_words_alone(rule: re.Pattern[str], innocent: str) -> None:
    assert not rule.search(innocent)
