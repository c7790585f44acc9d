"""Databases that are not as they should be: nothing is lost, and the report says what was odd."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, column, table

from chainkeep.db.migrate import check
from chainkeep.transfer.adopt import adopt
from tests.support.databases import run_on
from tests.transfer.conftest import execute, rows_of, run_scripts

Row = dict[str, Any]

# Without the constraints that the documented tables have, as people make them by hand.
LOOSE = {
    "users": "id TEXT, identifier TEXT, metadata TEXT, plan TEXT",
    "threads": 'id TEXT, "createdAt" TEXT, name TEXT, "userId" TEXT, tags TEXT, metadata TEXT',
    "steps": 'id TEXT, "threadId" TEXT, "parentId" TEXT, type TEXT, name TEXT, output TEXT,'
    ' "createdAt" TEXT, metadata TEXT, streaming TEXT, "isError" TEXT, icon TEXT',
    "elements": 'id TEXT, "threadId" TEXT, "forId" TEXT, type TEXT, name TEXT, page TEXT, url TEXT',
    "feedbacks": 'id TEXT, "forId" TEXT, value TEXT, "comment" TEXT',
}


@pytest.fixture
async def loose_url(empty_database_url: str) -> str:
    for name, columns in LOOSE.items():
        await run_on(empty_database_url, execute(f"CREATE TABLE {name} ({columns})"))
    return empty_database_url


async def insert(database: str, into: str, **values: str | None) -> None:
    def work(connection: Connection) -> None:
        with connection.begin():
            target = table(into, *map(column, values))
            connection.execute(target.insert().values(**values))

    await run_on(database, work)


async def leftovers(url: str) -> dict[tuple[str, str | None, str | None], Any]:
    rows = await run_on(url, rows_of("chainkeep_leftovers", order="rowId"))
    return {(r["table"], r["rowId"], r["column"]): json.loads(r["value"]) for r in rows}


async def test_text_columns_are_read_as_what_they_should_be(loose_url: str) -> None:
    await insert(loose_url, "threads", id="t", tags='["a"]', metadata='{"a": 1}')
    await insert(loose_url, "steps", id="s", threadId="t", streaming="0", isError="true")
    await insert(loose_url, "elements", id="e", threadId="t", page="3")
    await insert(loose_url, "feedbacks", id="f", forId="s", value="1")
    await run_on(loose_url, adopt)
    (step,) = await run_on(loose_url, rows_of("steps"))
    (element,) = await run_on(loose_url, rows_of("elements"))
    (vote,) = await run_on(loose_url, rows_of("feedbacks"))
    assert (bool(step["streaming"]), bool(step["isError"])) == (False, True)
    assert (step["type"], step["name"], step["output"]) == ("undefined", "", "")
    assert (element["type"], element["display"], element["page"]) == ("file", "inline", 3)
    assert vote["value"] == 1
    await run_on(loose_url, check)


async def test_an_icon_moves_to_extra(loose_url: str) -> None:
    await insert(loose_url, "steps", id="s", threadId="t", icon="bolt")
    await run_on(loose_url, adopt)
    (step,) = await run_on(loose_url, rows_of("steps"))
    assert json.loads(step["extra"]) == {"icon": "bolt"}


async def test_values_that_cannot_be_read_are_kept(loose_url: str) -> None:
    await insert(loose_url, "steps", id="s", threadId="t", metadata="{oops", createdAt="noon")
    await insert(loose_url, "elements", id="e", page="last")
    report = await run_on(loose_url, adopt)
    assert await leftovers(loose_url) == {
        ("steps", "s", "metadata"): "{oops",
        ("steps", "s", "createdAt"): "noon",
        ("elements", "e", "page"): "last",
    }
    assert report.leftovers == {"steps.metadata": 1, "steps.createdAt": 1, "elements.page": 1}


async def test_rows_that_belong_nowhere_are_kept_whole(loose_url: str) -> None:
    await insert(loose_url, "users", id="u", identifier=None, plan="gold")
    await insert(loose_url, "threads", id=None, name="lost")
    await insert(loose_url, "steps", id="s", output="said to nobody")
    await insert(loose_url, "feedbacks", id="f", forId="s", value="meh", comment="hm")
    report = await run_on(loose_url, adopt)
    assert await leftovers(loose_url) == {
        ("users", "u", None): {"id": "u", "plan": "gold"},
        ("threads", None, None): {"name": "lost"},
        ("steps", "s", None): {"id": "s", "output": "said to nobody"},
        ("feedbacks", "f", None): {"id": "f", "forId": "s", "value": "meh", "comment": "hm"},
    }
    assert set(report.adopted.values()) == {0}


async def test_an_external_address_stays(loose_url: str) -> None:
    await insert(loose_url, "elements", id="e", url="https://example.org/a.png")
    await run_on(loose_url, adopt)
    (element,) = await run_on(loose_url, rows_of("elements"))
    assert element["url"] == "https://example.org/a.png"


async def test_two_users_of_one_name_become_one_with_the_threads_of_both(loose_url: str) -> None:
    for user in ("first", "second"):
        await insert(loose_url, "users", id=user, identifier="ada", plan=user)
        await insert(loose_url, "threads", id=f"of {user}", userId=user)
    report = await run_on(loose_url, adopt)
    (user_row,) = await run_on(loose_url, rows_of("users"))
    threads = await run_on(loose_url, rows_of("threads"))
    assert user_row["id"] == "first"
    assert [(t["userId"], t["userIdentifier"]) for t in threads] == [("first", "ada")] * 2
    assert report.odd["users with a name that another has, joined with that one"] == 1


async def test_votes_without_a_step_do_not_replace_each_other(loose_url: str) -> None:
    await insert(loose_url, "feedbacks", id="f", forId=None, value="1")
    await insert(loose_url, "feedbacks", id="g", forId=None, value="0")
    await run_on(loose_url, adopt)
    assert len(await leftovers(loose_url)) == 2


async def test_what_nobody_can_reach_is_reported(loose_url: str) -> None:
    await insert(loose_url, "threads", id="ownerless")
    await insert(loose_url, "steps", id="s", threadId="gone")
    report = await run_on(loose_url, adopt)
    assert report.odd == {
        "threads of unknown age, listed last": 1,
        "threads without an owner, listed for nobody": 1,
        "steps whose thread is gone": 1,
    }


async def test_a_nul_in_sqlite_text_survives(make_sqlite: Callable[[bool], str]) -> None:
    url = make_sqlite(False)
    await run_on(url, run_scripts("sqlite.sql"))
    await insert(url, "users", id="u", identifier="a\0b", metadata="{}")
    await run_on(url, adopt)
    (user,) = await run_on(url, rows_of("users"))
    assert "\0" not in user["identifier"]
    assert user["identifier"].replace("\ufdd0\ufdd1", "\0") == "a\0b"
