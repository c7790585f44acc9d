"""The sidebar's page and the search."""

from __future__ import annotations

from itertools import chain
from typing import Any, Literal

import pytest
from chainlit.types import Feedback, Pagination, ThreadFilter

from chainkeep.errors import InvalidInputError
from tests.chainlit.contract.chats import App, step_dict

Dict = dict[str, Any]


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02}:00.000000Z"


async def thread(app: App, id: str, name: str, minute: int, *outputs: str, **step: Any) -> None:
    """One of alice's threads, last active at that minute."""
    user = await app.user("alice")
    for n, output in enumerate(outputs or ("",)):
        written = {"createdAt": at(minute), "output": output, **step}
        await app.layer.create_step(step_dict(f"{id} {n}", id, **written))
    await app.layer.update_thread(id, name=name, user_id=user.id)


async def pages(app: App, first: int, **filters: Any) -> list[list[str]]:
    """The ids of every page, as the sidebar asks for them one after the other."""
    found: list[list[str]] = []
    cursor: str | None = None
    while not found or cursor:
        page = await app.page(first=first, cursor=cursor, **filters)
        found.append([row["id"] for row in page["data"]])
        info = page["pageInfo"]
        assert info["hasNextPage"] == bool(info["endCursor"])
        cursor = info["endCursor"]
    return found


async def test_rows_come_by_last_activity_newest_first_and_call_that_their_creation(app: App):
    await thread(app, "old", "old", 1)
    await thread(app, "new", "new", 2)
    await app.layer.create_step(step_dict("more", "old", createdAt=at(3)))
    rows = (await app.page())["data"]
    assert [(row["id"], row["createdAt"]) for row in rows] == [("old", at(3)), ("new", at(2))]
    assert (await app.thread("old"))["createdAt"] == at(1)


async def test_a_step_that_comes_late_does_not_take_the_activity_back(app: App):
    await thread(app, "a", "a", 5)
    await app.layer.create_step(step_dict("late", "a", createdAt=at(1)))
    [row] = (await app.page())["data"]
    assert row["createdAt"] == at(5)


async def test_rows_hold_no_steps_and_no_elements(app: App):
    await thread(app, "a", "a", 1, "text")
    [row] = (await app.page())["data"]
    assert (row["steps"], row["elements"]) == ([], [])
    assert (row["name"], row["userIdentifier"], row["metadata"]) == ("a", "alice", {})


async def test_pages_follow_each_other_without_gap_or_repeat(app: App):
    for n in range(7):
        await thread(app, f"t{n}", "", n)
    assert await pages(app, 3) == [["t6", "t5", "t4"], ["t3", "t2", "t1"], ["t0"]]
    assert await pages(app, 7) == [["t6", "t5", "t4", "t3", "t2", "t1", "t0"]]


async def test_threads_of_the_same_moment_are_neither_skipped_nor_repeated(app: App):
    for n in range(7):
        await thread(app, f"t{n}", "", 1)
    assert list(chain(*await pages(app, 2))) == [f"t{n}" for n in reversed(range(7))]


async def test_a_cursor_outlives_the_row_it_was_made_from(app: App):
    for n in range(5):
        await thread(app, f"t{n}", "", n)
    page = await app.page(first=2)
    await app.layer.delete_thread("t3")
    rest = await app.page(first=9, cursor=page["pageInfo"]["endCursor"])
    assert [row["id"] for row in rest["data"]] == ["t2", "t1", "t0"]


async def test_a_thread_that_becomes_active_between_two_pages_hides_no_other(app: App):
    for n in range(5):
        await thread(app, f"t{n}", "", n)
    page = await app.page(first=2)
    await app.layer.create_step(step_dict("more", "t3", createdAt=at(50)))
    rest = await app.page(first=9, cursor=page["pageInfo"]["endCursor"])
    assert [row["id"] for row in rest["data"]] == ["t2", "t1", "t0"]


async def test_an_absurd_page_size_is_brought_into_bounds(app: App):
    for n in range(3):
        await thread(app, f"t{n}", "", n)
    assert len((await app.page(first=10**9))["data"]) == 3
    assert len((await app.page(first=0))["data"]) == 1
    assert len((await app.page(first=-5))["data"]) == 1


async def test_an_empty_history_is_an_empty_page(app: App):
    page = await app.page()
    assert page == {
        "pageInfo": {"hasNextPage": False, "startCursor": None, "endCursor": None},
        "data": [],
    }


@pytest.mark.parametrize("cursor", ["thread-id", "💥", "e30=", "WzEsMSwxXQ==", "AAAA"])
async def test_a_cursor_that_is_none_of_ours_is_refused_in_words(app: App, cursor: str):
    with pytest.raises(InvalidInputError, match="cursor"):
        await app.page(cursor=cursor)


async def test_a_list_without_a_user_is_refused_and_is_not_everybodys(app: App):
    await thread(app, "a", "a", 1)
    with pytest.raises(InvalidInputError):
        await app.layer.list_threads(Pagination(first=1), ThreadFilter())


async def test_nobody_sees_anybody_elses_threads(app: App):
    await app.spoken("alice", "the secret of alice")
    mine = await app.spoken("bob", "the secret of bob")
    assert await app.listed("bob") == [mine.thread_id]
    assert await app.listed("bob", search="secret") == [mine.thread_id]
    async with app.http("bob") as http:
        body = {"pagination": {"first": 35}, "filter": {"userId": (await app.user("alice")).id}}
        seen = (await http.post("/project/threads", json=body)).json()
    assert [row["id"] for row in seen["data"]] == [mine.thread_id]


async def test_a_search_finds_titles_and_messages_in_any_case(app: App):
    await thread(app, "title", "Über Muscheln", 1)
    await thread(app, "text", "other", 2, "nothing", "ich liebe MUSCHELN sehr")
    await thread(app, "neither", "other", 3, "something else")
    for search in ("muschel", "MUSCHEL", "Muscheln"):
        assert await app.listed(search=search) == ["text", "title"]
    assert await app.listed(search="ÜBER") == ["title"]
    assert await app.listed(search="über") == ["title"]
    assert await app.listed(search="pearl") == []


async def test_a_search_takes_every_character_for_itself(app: App):
    odd = ["100%", "a_b", "back\\slash", "it's", "wow!", '"quoted"', "nul\0nul", "[a-z]*", "🐚"]
    await thread(app, "plain", "1000 aXb backslash its wow quoted", 1, "nothing special")
    for n, text in enumerate(odd):
        await thread(app, f"title {n}", f"x{text}x", 2)
        await thread(app, f"text {n}", "x", 3, f"x{text}x")
        assert await app.listed(search=text) == [f"text {n}", f"title {n}"]


async def test_an_empty_search_is_no_search(app: App):
    await thread(app, "a", "a", 1)
    assert await app.listed(search="") == ["a"]


async def test_a_search_leaves_out_what_the_user_did_not_see_as_a_message(app: App):
    await thread(app, "tool", "x", 1, "needle", type="tool")
    await thread(app, "deleted", "x", 2, "needle")
    await app.layer.delete_step("deleted 0")
    await thread(app, "gone", "needle", 3, "needle")
    await app.layer.delete_thread("gone")
    await thread(app, "system", "x", 4, "needle", type="system_message")
    await thread(app, "asked", "x", 5, "needle", type="user_message")
    assert await app.listed(search="needle") == ["asked", "system"]


async def test_a_search_has_pages_too(app: App):
    for n in range(5):
        await thread(app, f"t{n}", "needle" if n % 2 else "x", n, "x" if n % 2 else "needle")
    assert await pages(app, 2, search="needle") == [["t4", "t3"], ["t2", "t1"], ["t0"]]


async def test_both_votes_can_be_asked_for_zero_too(app: App):
    ballots: list[tuple[Literal[0, 1], ...]] = [(0,), (1,), (0, 1), ()]
    for n, votes in enumerate(ballots):
        await thread(app, f"t{n}", "", n, "a", "b")
        for m, value in enumerate(votes):
            await app.layer.upsert_feedback(Feedback(forId=f"t{n} {m}", value=value))
    assert await app.listed(feedback=0) == ["t2", "t0"]
    assert await app.listed(feedback=1) == ["t2", "t1"]
    assert await app.listed(feedback=None) == ["t3", "t2", "t1", "t0"]


async def test_filters_narrow_each_other(app: App):
    for n, name in enumerate(["needle", "needle", "x"]):
        await thread(app, f"t{n}", name, n, "a")
    for n in (1, 2):
        await app.layer.upsert_feedback(Feedback(forId=f"t{n} 0", value=1, threadId=f"t{n}"))
    assert await app.listed(search="needle", feedback=1) == ["t1"]
