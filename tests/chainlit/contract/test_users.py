"""Who logs in: Chainlit asks for the user on every request."""

from __future__ import annotations

import asyncio

import chainlit as cl
import pytest

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.errors import StorageError
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import as_sent


async def test_a_user_comes_back_as_created(layer: ChainkeepDataLayer):
    given = cl.User(identifier="alice", display_name="Alice", metadata={"role": "admin", "n": 1})
    created = await layer.create_user(given)
    found = await layer.get_user("alice")
    assert created is not None
    assert found == created
    assert (found.identifier, found.display_name) == ("alice", "Alice")
    assert found.metadata == {"role": "admin", "n": 1}
    assert as_sent(found.to_dict())["id"] == found.id


async def test_an_unknown_user_is_none(layer: ChainkeepDataLayer):
    assert await layer.get_user("nobody") is None


async def test_a_second_login_keeps_the_id_and_the_time_and_takes_the_newer_metadata(
    layer: ChainkeepDataLayer,
):
    first = await layer.create_user(cl.User(identifier="alice", metadata={"image": "old"}))
    second = await layer.create_user(cl.User(identifier="alice", metadata={"image": "new"}))
    assert first is not None
    assert second is not None
    assert (second.id, second.createdAt) == (first.id, first.createdAt)
    assert second.metadata == {"image": "new"}


async def test_logins_at_the_same_moment_make_one_user(make_layer: MakeLayer):
    layers = [make_layer(), make_layer()]
    users = await asyncio.gather(
        *(layers[n % 2].create_user(cl.User(identifier="alice")) for n in range(20))
    )
    assert len({user.id for user in users if user}) == 1


async def test_a_login_without_a_display_name_keeps_the_known_one(layer: ChainkeepDataLayer):
    await layer.create_user(cl.User(identifier="alice", display_name="Alice"))
    again = await layer.create_user(cl.User(identifier="alice"))
    assert again is not None
    assert again.display_name == "Alice"


@pytest.mark.parametrize(
    "identifier", ["o'hara\"; DROP TABLE users; --", "ä\n🐚", "nul\0nul", "x" * 2_000, ""]
)
async def test_any_text_may_be_an_identifier(layer: ChainkeepDataLayer, identifier: str):
    await layer.create_user(cl.User(identifier=identifier))
    await layer.create_user(cl.User(identifier="somebody else"))
    found = await layer.get_user(identifier)
    assert found is not None
    assert found.identifier == identifier


async def test_what_a_caller_does_to_a_user_is_not_kept(layer: ChainkeepDataLayer):
    await layer.create_user(cl.User(identifier="alice", metadata={"tags": ["a"]}))
    first = await layer.get_user("alice")
    assert first is not None
    first.display_name = "changed by Chainlit"
    first.metadata["tags"].append("b")
    second = await layer.get_user("alice")
    assert second is not None
    assert (second.display_name, second.metadata) == (None, {"tags": ["a"]})


@pytest.mark.usefixtures("own_database")
async def test_a_database_without_users_raises_and_is_no_unknown_user(layer: ChainkeepDataLayer):
    await layer.create_user(cl.User(identifier="alice"))
    await layer.execute_sql("DROP TABLE users", {})
    with pytest.raises(StorageError):
        await layer.get_user("alice")
    with pytest.raises(StorageError):
        await layer.create_user(cl.User(identifier="bob"))
