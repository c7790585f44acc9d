"""An adopted history is shown by chainkeep's layer as Chainlit handed it over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chainlit.types import Pagination, ThreadFilter

from chainkeep.chainlit import ChainkeepDataLayer
from tests.transfer.conftest import THREAD, Bucket, History


@pytest.fixture
async def layer(adopted: History, tmp_path: Path) -> AsyncIterator[ChainkeepDataLayer]:
    layer = ChainkeepDataLayer(
        adopted.url,
        storage_provider=Bucket(),
        spool=str(tmp_path / "spool"),
        journal=str(tmp_path / "journal"),
    )
    yield layer
    await layer.close()


async def test_the_user_logs_in_as_before(adopted: History, layer: ChainkeepDataLayer) -> None:
    user = await layer.get_user("ada@example.org")
    assert user
    assert (user.id, user.metadata) == (adopted.user_id, {"role": "admin", "n": 10**20})


async def test_the_threads_are_listed_newest_activity_first(
    adopted: History, layer: ChainkeepDataLayer
) -> None:
    page = await layer.list_threads(Pagination(first=10), ThreadFilter(userId=adopted.user_id))
    assert [thread["name"] for thread in page.data] == ["A chat 🙂", "A chat 🙂"]
    assert page.data[0]["id"] == THREAD


async def test_the_steps_are_as_they_were(adopted: History, layer: ChainkeepDataLayer) -> None:
    thread = await layer.get_thread(THREAD)
    assert thread
    assert {step["id"] for step in thread["steps"]} == adopted.steps.keys()
    for step in thread["steps"]:
        given = adopted.steps[step["id"]]
        for key in ("name", "type", "parentId", "output", "metadata", "isError", "language"):
            assert step[key] == given.get(key), key


async def test_a_step_shows_its_newest_vote(adopted: History, layer: ChainkeepDataLayer) -> None:
    thread = await layer.get_thread(THREAD)
    assert thread
    for step in thread["steps"]:
        feedback = step["feedback"]
        assert feedback
        assert (feedback["value"], feedback["comment"]) == (1, None)
        assert adopted.votes[feedback["id"] or ""]["forId"] == step["id"]


async def test_the_elements_are_reached_by_an_address_of_ours(layer: ChainkeepDataLayer) -> None:
    thread = await layer.get_thread(THREAD)
    assert thread
    elements = thread["elements"] or []
    assert [element["name"] for element in elements] == ["note.txt", "a.mp3", "Chart"]
    for element in elements:
        assert "bucket.example" not in (element["url"] or "")


async def test_a_starred_message_is_among_the_favourites(
    adopted: History, layer: ChainkeepDataLayer
) -> None:
    favourites = await layer.get_favorite_steps(adopted.user_id)
    assert [step["output"] for step in favourites] == ["What's \"up\"?\n'); DROP TABLE steps; --"]
