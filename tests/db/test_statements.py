"""The statements as they stand in their files."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import chain
from types import FunctionType, MappingProxyType

import pytest

from chainkeep.db import (
    attachment_queries,
    figure_queries,
    journal_queries,
    list_queries,
    migrations,
    queries,
    replica_queries,
    search_queries,
    step_queries,
    thread_queries,
)
from chainkeep.db.dialects import DIALECT_NAMES
from chainkeep.db.migrations import script
from chainkeep.db.statements import STATEMENTS, Statement, load
from chainkeep.db.step_queries import _COLUMNS, _STEP_BINDS, StepRow, _step_binds, _sum
from chainkeep.models import Step

SOURCES = {
    entry.name: entry.read_text("utf-8")
    for entry in (files("chainkeep.db") / "sql").iterdir()
    if entry.name.endswith(".sql")
}
PORTABLE = [name for name in SOURCES if name.count(".") == 1]
OF_ONE = {d: [name for name in SOURCES if name.endswith(f".{d}.sql")] for d in DIALECT_NAMES}
ALL = list(chain.from_iterable(load(source) for source in SOURCES.values()))

QUERIES = {
    name: function
    for module in (
        queries,
        step_queries,
        thread_queries,
        list_queries,
        figure_queries,
        journal_queries,
        attachment_queries,
        replica_queries,
        search_queries,
    )
    for name, function in vars(module).items()
    if isinstance(function, FunctionType)
    and function.__module__ == module.__name__
    and not name.startswith("_")
}

every_statement = pytest.mark.parametrize("statement", ALL, ids=lambda s: s.name)


def sql_of(names: list[str]) -> Iterator[Statement]:
    return chain.from_iterable(load(SOURCES[name]) for name in names)


def test_a_name_is_given_once() -> None:
    names = Counter(statement.name for statement in sql_of(PORTABLE))
    of_one = [Counter(each.name for each in sql_of(files)) for files in OF_ONE.values()]
    names.update(of_one[0] | of_one[1])
    assert [name for name, count in names.items() if count > 1] == []


ONE_DATABASE_ONLY = {
    "step_put": "saves waits for the server; SQLite has none",
    "steps_put": "saves waits for the server; SQLite has none",
    "steps_put_rows": "saves waits for the interpreter; PostgreSQL's driver awaits",
    "thread_erase": "saves waits for the server; SQLite has none",
}


def test_what_differs_between_the_databases_stands_in_a_file_of_each() -> None:
    by_dialect = [{each.name for each in sql_of(names)} for names in OF_ONE.values()]
    assert by_dialect[0] ^ by_dialect[1] == set(ONE_DATABASE_ONLY)


def test_each_database_has_every_statement() -> None:
    assert set(STATEMENTS) == set(DIALECT_NAMES)
    for statements in STATEMENTS.values():
        assert set(statements) | set(ONE_DATABASE_ONLY) == {statement.name for statement in ALL}


def words(name: str, otherwise: Mapping[str, str] = MappingProxyType({})) -> str:
    """A statement of PostgreSQL, in other words where there are some."""
    sql = " ".join(STATEMENTS["postgresql"][name].sql.split())
    for there, here in otherwise.items():
        sql = sql.replace(there, here)
    return sql


@pytest.mark.parametrize(
    ("name", "otherwise"),
    [("step_put", {}), ("steps_put", {"CAST(:activity_at AS TEXT)": 'excluded."lastActivityAt"'})],
)
def test_threads_of_steps_that_are_put_are_touched_as_in_a_statement_of_their_own(
    name: str, otherwise: dict[str, str]
) -> None:
    touch, put = words("thread_touch", otherwise), words(name)
    changed, _, where = touch[touch.index("ON CONFLICT") :].partition(" WHERE ")
    lives, _, changes = where.removesuffix(" )").partition(" AND ( ")
    assert changed in put
    assert f"WHEN {lives} THEN {changes} ELSE CAST(CONCAT('refused" in put


def test_a_step_that_is_put_is_written_as_in_a_statement_of_its_own() -> None:
    write, put = words("step_write"), words("step_put")
    changed, _, where = write[write.index("ON CONFLICT") :].partition(" WHERE ")
    assert changed in put
    assert f"WHEN {where} THEN TRUE ELSE CAST(CONCAT('refused" in put


def test_steps_that_are_put_are_written_as_in_a_statement_of_their_own() -> None:
    otherwise = {
        "CAST(:given AS BIGINT)": "handed.given",
        "CAST(:created AS BOOLEAN)": "handed.created",
    }
    write, put = words("step_write", otherwise), words("steps_put")
    cases = dict(re.findall(r'("\w+") = (CASE .*? END),', write))
    assert f"SET ( {', '.join(cases)} ) = ( SELECT {', '.join(cases.values())} FROM" in put
    revised, _, where = write[write.index('"revision" = steps.') :].partition(" WHERE ")
    assert revised in put
    assert f"WHEN {where} THEN TRUE ELSE CAST(CONCAT('refused" in put


def test_each_item_of_a_step_that_is_put_has_the_place_of_its_bind() -> None:
    sql = STATEMENTS["postgresql"]["steps_put"].sql
    places = {
        name.lower(): int(place)
        for place, name in re.findall(r'step\.item\[(\d+)\](?: AS \w+\))? AS "?(\w+)"?', sql)
    }
    binds = {"revision" if name == "updates" else name: name for name in _STEP_BINDS}
    names = [name.replace("_", "") for name in binds]
    assert places == {name: place for place, name in enumerate(names, 1)}


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_each_column_that_an_update_sets_has_its_number(dialect: str) -> None:
    sql = " ".join(STATEMENTS[dialect]["step_write"].sql.split())
    clause = r'"(\w+)" = CASE WHEN \(CAST\(:given AS BIGINT\) & (\d+)\) <> 0 OR'
    numbers = {column: int(number) for column, number in re.findall(clause, sql)}
    metadata = numbers.pop("favorite")
    assert list(numbers.values()) == [_sum(frozenset([name])) for name in _COLUMNS]
    assert [column.lower() for column in numbers] == [name.replace("_", "") for name in _COLUMNS]
    assert metadata == _sum(frozenset(["metadata"]))


VIEW, TRIGGER = migrations.statements(script("writing.sqlite.sql"))


def clauses(name: str, otherwise: dict[str, str]) -> str:
    """What a statement of SQLite does where a row is there, in other words where there are some."""
    sql = " ".join(STATEMENTS["sqlite"][name].sql.split())
    sql = sql[sql.index("ON CONFLICT") :]
    for there, here in otherwise.items():
        sql = sql.replace(there, here)
    return sql


def test_threads_of_rows_that_are_put_are_touched_as_in_a_statement_of_their_own() -> None:
    touch = clauses("thread_touch", {"CAST(:activity_at AS TEXT)": 'NEW."activity_at"'})
    assert f"{touch};" in " ".join(TRIGGER.split())


INDEXED = ("type", "createdAt", "favorite", "unindexed")


def test_rows_that_are_put_are_written_as_in_a_statement_of_their_own() -> None:
    write = clauses(
        "step_write",
        {"CAST(:given AS BIGINT)": 'NEW."given"', "CAST(:created AS BOOLEAN)": 'NEW."created"'},
    )
    cases = [re.search(rf'"{name}" = CASE .*? END, (?=")', write) for name in INDEXED]
    apart = "".join(case[0] for case in cases if case).removesuffix(", ")
    for case in cases:
        write = write.replace(case[0] if case else "", "")
    later = {
        'steps."revision" = 0': 'steps."revision" = NEW."updates"',
        'excluded."type"': 'NEW."type"',
        'excluded."createdAt"': 'NEW."created_at"',
        'excluded."favorite"': 'NEW."favorite"',
    }
    for there, here in later.items():
        apart = apart.replace(there, here)
    words = " ".join(TRIGGER.split())
    assert f"{write};" in words
    assert words.partition("UPDATE steps SET ")[2].startswith(f"{apart} WHERE")


def test_rows_that_are_put_have_the_columns_that_they_are_given() -> None:
    step = Step(id="s", thread_id="t", type="run", created_at="2026-01-01T00:00:00.000000Z")
    binds = _step_binds(StepRow(step=step, created=True, position=1))
    columns = [*binds, "thread_created_at", "activity_at", "user_id", "user_identifier"]
    assert re.findall(r'"(\w+)"', STATEMENTS["sqlite"]["steps_put_rows"].sql) == columns
    assert re.findall(r'NULL AS "(\w+)"', VIEW) == columns


ERASED_BY = [
    "thread_clear_elements", "thread_clear_roles", "thread_clear_steps", "thread_clear_summaries",
    "thread_forget_facts",
]  # fmt: skip


@pytest.mark.parametrize("name", ERASED_BY)
def test_a_thread_that_is_erased_loses_what_several_statements_take(name: str) -> None:
    def plain(statement: str) -> str:
        sql = STATEMENTS["postgresql"][statement].sql.rstrip(";")
        return " ".join(sql.replace("CAST(:thread_id AS TEXT)", ":thread_id").split())

    assert plain(name) in plain("thread_erase")


def test_nothing_in_a_file_is_left_outside_a_statement() -> None:
    for source in SOURCES.values():
        assert source.partition("-- name:")[0].strip() == ""
        assert source.count("-- name:") == len(list(load(source)))


@every_statement
def test_a_statement_says_what_it_promises(statement: Statement) -> None:
    assert re.match(r"[A-Z].*\.", statement.description)


@every_statement
def test_a_statement_gives_rows_if_and_only_if_its_header_says_so(statement: Statement) -> None:
    sql = statement.sql
    if sql.startswith("WITH"):
        sql = re.split(r"\n\)\n(?=[A-Z])", sql, maxsplit=1)[-1]
    gives_rows = "RETURNING" in sql or sql.startswith("SELECT")
    assert gives_rows == (statement.returns in ("one", "many"))


@every_statement
def test_a_statement_lists_its_columns(statement: Statement) -> None:
    assert not re.search(r"\*", statement.sql)


@every_statement
def test_a_statement_uses_no_cast_that_one_database_alone_understands(statement: Statement) -> None:
    assert "::" not in statement.sql


@every_statement
def test_a_statement_is_one_statement(statement: Statement) -> None:
    assert ";" not in statement.sql


@every_statement
def test_a_list_is_named_where_a_list_is_expected(statement: Statement) -> None:
    assert set(re.findall(r"\b(?:IN|VALUES) :(\w+)", statement.sql)) == statement.expands


def test_every_statement_has_a_query_of_its_name_and_every_query_a_statement() -> None:
    assert set(QUERIES) == {statement.name for statement in ALL}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_takes_a_connection_and_named_values(name: str) -> None:
    signature = inspect.signature(QUERIES[name])
    first, *others = signature.parameters.values()
    if signature.return_annotation.startswith("Change"):
        assert first.kind is first.KEYWORD_ONLY
    else:
        assert first.name == "connection"
    unnamed = [each.name for each in others if each.kind is not each.KEYWORD_ONLY]
    assert unnamed in ([], ["rows"], ["touches"], ["element"])


def test_a_statement_is_loaded_with_its_description_and_without_its_comments() -> None:
    [statement] = load(
        "-- name: things_page :many\n"
        "-- Some things.\n-- Carried by things_idx.\n-- expands: ids\n"
        'SELECT "id" AS id\n-- why\nFROM things\nWHERE "id" IN :ids AND "at" = \'12:30\';\n'
    )
    assert (statement.name, statement.returns) == ("things_page", "many")
    assert statement.description.startswith("Some things. Carried by things_idx.")
    assert "--" not in statement.sql
    assert statement.sql.startswith('SELECT "id" AS id')
    assert statement.expands == {"ids"}
