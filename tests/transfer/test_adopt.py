"""What Chainlit's built-in layer wrote is still there after the adoption, value for value."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, inspect

from chainkeep.db.migrate import check, migrate
from chainkeep.errors import MigrationError
from chainkeep.transfer.adopt import adopt
from tests.support.databases import run_on, shape
from tests.transfer.conftest import (
    EMPTY_THREAD,
    THREAD,
    History,
    everything,
    execute,
    rows_of,
)

Row = dict[str, Any]


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


async def test_the_history_is_written_as_chainlit_would(history: History) -> None:
    before = await run_on(history.url, everything)
    counts = {table: len(rows) for table, rows in before.items()}
    assert counts == {"users": 1, "threads": 2, "steps": 4, "elements": 3, "feedbacks": 8}


async def test_every_row_is_adopted(adopted: History) -> None:
    rows = {"users": 1, "threads": 2, "steps": 4, "elements": 3, "feedbacks": 8}
    assert adopted.report.rows == rows
    assert adopted.report.adopted == {**rows, "feedbacks": 4}


async def test_the_tables_are_then_what_migrations_make(
    adopted: History, make_database_url: Callable[[bool], str]
) -> None:
    await run_on(adopted.url, check)
    found, expected = await run_on(adopted.url, shape), await run_on(make_database_url(True), shape)
    assert found.pop("chainkeep_leftovers")
    assert found == expected
    assert adopted.report.revision == "0007"


async def test_a_user_is_the_same(adopted: History) -> None:
    (user,) = await run_on(adopted.url, rows_of("users"))
    assert user["id"] == adopted.user_id
    assert user["identifier"] == "ada@example.org"
    assert json.loads(user["metadata"]) == {"role": "admin", "n": 10**20}


async def test_a_thread_is_the_same(adopted: History) -> None:
    thread = by_id(await run_on(adopted.url, rows_of("threads")))[THREAD]
    assert (thread["name"], thread["userId"]) == ("A chat 🙂", adopted.user_id)
    assert thread["userIdentifier"] == "ada@example.org"
    assert json.loads(thread["metadata"]) == {"chat_profile": "GPT", "env": {}}
    assert json.loads(thread["tags"] or "null") == adopted.tags
    assert thread["deletedAt"] is None


async def test_the_texts_of_a_step_are_the_same(adopted: History) -> None:
    for step_id, step in by_id(await run_on(adopted.url, rows_of("steps"))).items():
        given = adopted.steps[step_id]
        for key in ("threadId", "parentId", "type", "name", "output", "command", "language"):
            assert step[key] == given.get(key), key
        assert step["input"] == given.get("input", "")


async def test_the_flags_of_a_step_are_the_same(adopted: History) -> None:
    for step_id, step in by_id(await run_on(adopted.url, rows_of("steps"))).items():
        given = adopted.steps[step_id]
        for key in ("streaming", "isError", "waitForAnswer", "defaultOpen", "autoCollapse"):
            assert step[key] == given.get(key), key
        shown = given.get("showInput")
        assert step["showInput"] == ("false" if shown is False else shown)


async def test_the_json_of_a_step_is_the_same(adopted: History) -> None:
    for step_id, step in by_id(await run_on(adopted.url, rows_of("steps"))).items():
        given = adopted.steps[step_id]
        assert json.loads(step["metadata"]) == given["metadata"]
        assert json.loads(step["generation"] or "null") == given.get("generation")
        assert json.loads(step["tags"] or "null") == given.get("tags")
        assert step["extra"] is None


async def test_the_times_of_a_step_are_the_same_instants_in_one_width(adopted: History) -> None:
    for step_id, step in by_id(await run_on(adopted.url, rows_of("steps"))).items():
        for key in ("createdAt", "start", "end"):
            given = adopted.steps[step_id][key]
            assert step[key] is None if given is None else instant(step[key]) == instant(given)
            assert step[key] is None or len(step[key]) == len("2026-01-31T23:59:59.000000Z")


async def test_a_starred_step_is_a_favourite(adopted: History) -> None:
    for step in await run_on(adopted.url, rows_of("steps")):
        assert bool(step["favorite"]) == json.loads(step["metadata"]).get("favorite", False)
    threads = by_id(await run_on(adopted.url, rows_of("threads")))
    assert {name for name, thread in threads.items() if thread["starred"]} == {THREAD}


async def test_the_order_of_steps_is_that_of_their_times(adopted: History) -> None:
    steps = await run_on(adopted.url, rows_of("steps", order="position"))
    assert [s["createdAt"] for s in steps] == sorted(s["createdAt"] for s in steps)
    assert len({s["position"] for s in steps}) == len(steps)


async def test_a_late_create_cannot_overwrite_an_adopted_step(adopted: History) -> None:
    assert {s["revision"] for s in await run_on(adopted.url, rows_of("steps"))} == {1}


async def test_the_last_activity_is_the_newest_step(adopted: History) -> None:
    threads = by_id(await run_on(adopted.url, rows_of("threads")))
    steps = await run_on(adopted.url, rows_of("steps"))
    assert threads[THREAD]["lastActivityAt"] == max(s["createdAt"] for s in steps)
    assert threads[EMPTY_THREAD]["lastActivityAt"] == threads[EMPTY_THREAD]["createdAt"]


async def test_an_element_is_the_same(adopted: History) -> None:
    for element_id, element in by_id(await run_on(adopted.url, rows_of("elements"))).items():
        given = adopted.elements[element_id]
        for key in ("threadId", "type", "name", "display", "chainlitKey", "mime", "size", "forId"):
            assert element[key] == given.get(key), key
        for key in ("language", "page", "autoPlay"):
            assert element[key] == given.get(key), key
        assert json.loads(element["props"] or "null") == given.get("props")


async def test_elements_keep_their_order(adopted: History) -> None:
    elements = await run_on(adopted.url, rows_of("elements", order="position"))
    assert [e["name"] for e in elements] == ["note.txt", "a.mp3", "Chart"]


async def test_an_element_keeps_the_key_of_its_blob_and_not_the_buckets_address(
    adopted: History,
) -> None:
    leftovers = await run_on(adopted.url, rows_of("chainkeep_leftovers", order="rowId"))
    urls = {row["rowId"]: json.loads(row["value"]) for row in leftovers if row["column"] == "url"}
    for element in await run_on(adopted.url, rows_of("elements")):
        assert element["objectKey"] == f"{adopted.user_id}/{element['id']}/{element['name']}"
        assert element["url"] is None
        assert urls[element["id"]] == f"https://bucket.example/{element['objectKey']}"


async def test_the_newest_vote_on_a_step_counts(adopted: History) -> None:
    votes = by_id(await run_on(adopted.url, rows_of("feedbacks")))
    newest = {vote["forId"]: vote_id for vote_id, vote in adopted.votes.items()}
    assert set(votes) == set(newest.values())
    for vote_id, vote in votes.items():
        given = adopted.votes[vote_id]
        assert {key: vote[key] for key in given} == given


async def test_an_older_vote_is_kept_aside_whole(adopted: History) -> None:
    leftovers = await run_on(adopted.url, rows_of("chainkeep_leftovers", order="rowId"))
    rows = [json.loads(r["value"]) for r in leftovers if r["table"] == "feedbacks"]
    assert {row["id"]: row for row in rows} == {
        vote_id: {"id": vote_id, **vote}
        for vote_id, vote in adopted.votes.items()
        if vote["comment"] == "no"
    }
    assert adopted.report.odd["votes on a step that has a newer one"] == 4


async def test_the_old_tables_are_gone(adopted: History) -> None:
    tables = await run_on(adopted.url, lambda c: inspect(c).get_table_names())
    assert [table for table in tables if table.startswith("chainlit_")] == []


async def test_the_old_tables_can_be_kept_as_they_were(history: History) -> None:
    before = await run_on(history.url, everything)
    await run_on(history.url, lambda c: adopt(c, keep_old=True))
    after = await run_on(history.url, everything)
    assert {table: after[f"chainlit_{table}"] for table in before} == before
    await run_on(history.url, check)


async def test_a_dry_run_reports_the_same_and_changes_nothing(history: History) -> None:
    before = await run_on(history.url, everything), await run_on(history.url, shape)
    dry = await run_on(history.url, lambda c: adopt(c, dry_run=True))
    assert (await run_on(history.url, everything), await run_on(history.url, shape)) == before
    real = await run_on(history.url, adopt)
    assert {**dry.as_json(), "dry_run": False} == real.as_json()


async def test_an_adoption_that_is_broken_off_changes_nothing(history: History) -> None:
    def interrupt(table: str, _done: int, _total: int) -> None:
        if table == "feedbacks":
            raise KeyboardInterrupt

    before = await run_on(history.url, everything), await run_on(history.url, shape)
    with pytest.raises(KeyboardInterrupt):
        await run_on(history.url, lambda c: adopt(c, progress=interrupt))
    assert (await run_on(history.url, everything), await run_on(history.url, shape)) == before


async def test_what_was_adopted_is_not_adopted_again(adopted: History) -> None:
    with pytest.raises(MigrationError, match="already"):
        await run_on(adopted.url, adopt)


async def test_an_empty_database_has_nothing_to_adopt(empty_database_url: str) -> None:
    with pytest.raises(MigrationError, match="chainkeep migrate"):
        await run_on(empty_database_url, adopt)


async def test_tables_of_another_layout_are_refused_by_name(builtin_url: str) -> None:
    await run_on(builtin_url, execute("DROP TABLE feedbacks"))
    await run_on(builtin_url, execute('ALTER TABLE steps RENAME "parentId" TO "parent"'))
    before = await run_on(builtin_url, shape)
    with pytest.raises(MigrationError, match=r"missing: steps\.parentId, table feedbacks"):
        await run_on(builtin_url, adopt)
    assert await run_on(builtin_url, shape) == before


async def test_an_empty_history_can_be_adopted(builtin_url: str) -> None:
    report = await run_on(builtin_url, adopt)
    assert set(report.adopted.values()) == {0}
    await run_on(builtin_url, check)


async def test_nothing_left_over_leaves_no_table_for_it(builtin_url: str) -> None:
    await run_on(builtin_url, adopt)
    tables = await run_on(builtin_url, lambda c: inspect(c).get_table_names())
    assert "chainkeep_leftovers" not in tables


async def test_columns_of_older_versions_move_to_extra(history: History) -> None:
    await run_on(history.url, execute('UPDATE steps SET "indent" = 2, "disableFeedback" = TRUE'))
    report = await run_on(history.url, adopt)
    extras = [s["extra"] for s in await run_on(history.url, rows_of("steps"))]
    assert [json.loads(extra)["indent"] for extra in extras] == [2] * 4
    assert [bool(json.loads(extra)["disableFeedback"]) for extra in extras] == [True] * 4
    assert report.moved == {"steps.indent": 4, "steps.disableFeedback": 4}


async def test_a_column_of_the_apps_own_is_kept_aside(history: History) -> None:
    await run_on(history.url, execute("ALTER TABLE users ADD COLUMN plan TEXT"))
    await run_on(history.url, execute("UPDATE users SET plan = 'gold'"))
    report = await run_on(history.url, adopt)
    leftovers = await run_on(history.url, rows_of("chainkeep_leftovers", order="table"))
    (kept,) = [row for row in leftovers if row["table"] == "users"]
    assert (kept["rowId"], kept["column"]) == (history.user_id, "plan")
    assert json.loads(kept["value"]) == "gold"
    assert report.leftovers["users.plan"] == 1


async def test_threads_without_a_time_take_that_of_their_first_step(history: History) -> None:
    await run_on(history.url, execute('UPDATE threads SET "createdAt" = NULL'))
    report = await run_on(history.url, adopt)
    threads = by_id(await run_on(history.url, rows_of("threads")))
    steps = await run_on(history.url, rows_of("steps"))
    assert threads[THREAD]["createdAt"] == min(s["createdAt"] for s in steps)
    assert threads[EMPTY_THREAD]["lastActivityAt"] == "1970-01-01T00:00:00.000000Z"
    assert report.filled["threads.createdAt"] == 2
    assert report.odd["threads of unknown age, listed last"] == 1


async def test_a_step_without_a_time_takes_its_start_or_its_threads(history: History) -> None:
    await run_on(history.url, execute('UPDATE steps SET "createdAt" = NULL'))
    await run_on(history.url, execute("""UPDATE steps SET "start" = NULL WHERE type <> 'run'"""))
    await run_on(history.url, execute("""UPDATE steps SET "end" = NULL WHERE type <> 'run'"""))
    await run_on(history.url, adopt)
    threads = by_id(await run_on(history.url, rows_of("threads")))
    for step in await run_on(history.url, rows_of("steps")):
        assert step["createdAt"] == step["start"] or threads[THREAD]["createdAt"]


async def test_a_view_of_the_apps_own_is_no_victim(history: History, database_kind: str) -> None:
    view = 'CREATE VIEW said AS SELECT "output" FROM steps ORDER BY "id"'
    await run_on(history.url, execute(view))
    before = await run_on(history.url, rows_of("said", order="output"))
    if database_kind == "postgresql":
        tables = await run_on(history.url, everything)
        with pytest.raises(MigrationError, match=r"nothing was changed: (.|\s)*view said"):
            await run_on(history.url, adopt)
        assert await run_on(history.url, everything) == tables
    else:
        await run_on(history.url, adopt)
    assert await run_on(history.url, rows_of("said", order="output")) == before


async def test_progress_is_told_of_every_row(builtin_url: str) -> None:
    def write_many(connection: Connection) -> None:
        with connection.begin():
            insert = "INSERT INTO users VALUES ({}, {}, '{{}}', NULL)"
            for i in range(1201):
                user_id = f"'00000000-0000-0000-0000-{i:012}'"
                connection.exec_driver_sql(insert.format(user_id, f"'user {i}'"))

    told: list[tuple[str, int, int]] = []
    await run_on(builtin_url, write_many)
    await run_on(builtin_url, lambda c: adopt(c, progress=lambda *what: told.append(what)))
    assert told == [("users", 500, 1201), ("users", 1000, 1201), ("users", 1201, 1201)]
    assert len(await run_on(builtin_url, rows_of("users"))) == 1201


async def test_a_migrated_database_is_not_mistaken_for_chainlits(empty_database_url: str) -> None:
    await run_on(empty_database_url, migrate)
    with pytest.raises(MigrationError, match="already"):
        await run_on(empty_database_url, adopt)
