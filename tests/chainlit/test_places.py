"""A chat belongs to the organisation of who talks, and to the product of its profile."""

from __future__ import annotations

import chainlit as cl

from chainkeep.chainlit import ChainkeepDataLayer
from chainkeep.threads import Scope, Thread, open_threads
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import Chat

ADA = cl.User(identifier="ada", metadata={"org_id": 7})


async def talked(layer: ChainkeepDataLayer, user: cl.User | None, profile: str | None) -> Thread:
    """The thread of a chat, after its first message."""
    chat = Chat(user)
    chat.session.chat_profile = profile
    chat.session.has_first_interaction = True
    with chat:
        await layer.update_thread(chat.thread_id, name="hi", metadata={"chat_profile": profile})
    async with open_threads(layer) as threads:
        found = await threads.get(chat.thread_id)
    assert found is not None
    return found


async def test_a_chat_is_its_users_organisations_and_its_profiles_products(
    layer: ChainkeepDataLayer,
) -> None:
    thread = await talked(layer, ADA, "support")
    assert (thread.org, thread.product) == ("7", "support")
    async with open_threads(layer, scope=Scope(org="7", product="support")) as threads:
        assert [each.id for each in (await threads.list()).items] == [thread.id]


async def test_a_chat_of_nobody_in_no_profile_belongs_nowhere(layer: ChainkeepDataLayer) -> None:
    thread = await talked(layer, None, None)
    assert (thread.org, thread.product) == (None, None)


async def test_an_app_may_say_where_its_chats_belong(make_layer: MakeLayer) -> None:
    def place_of(user: cl.User | None, profile: str | None) -> tuple[str | None, str | None]:
        return user.identifier if user else None, f"our {profile}"

    layer = make_layer(place_of=place_of)
    thread = await talked(layer, ADA, "support")
    assert (thread.org, thread.product) == ("ada", "our support")


async def test_a_chat_stays_where_it_was_put_first(
    layer: ChainkeepDataLayer,
) -> None:
    chat = Chat(ADA)
    chat.session.has_first_interaction = True
    with chat:
        await layer.update_thread(chat.thread_id, name="hi")
        chat.session.chat_profile = "late"
        await layer.update_thread(chat.thread_id, metadata={"chat_profile": "late"})
        chat.session.chat_profile = "later"
        await layer.update_thread(chat.thread_id, metadata={"chat_profile": "later"})
    async with open_threads(layer) as threads:
        thread = await threads.get(chat.thread_id)
    assert thread is not None
    assert (thread.org, thread.product) == ("7", "late")
