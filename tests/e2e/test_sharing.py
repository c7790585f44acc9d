"""Sharing a chat, and taking it back."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest

from tests.support.server import ChainlitServer
from tests.support.socket_client import Account

pytestmark = pytest.mark.e2e


async def test_a_shared_chat_and_its_elements_can_be_read_by_another_user(
    alice: Account, bob: Account
):
    async with alice.chat() as chat:
        await chat.say("show image")
        await alice.share(chat.thread_id)
    thread = (await bob.shared(chat.thread_id)).json()
    assert "show image" in [step["output"] for step in thread["steps"]]
    address = urljoin(bob.url, thread["elements"][0]["url"])
    image = await bob.http.get(address, follow_redirects=True)
    assert image.content.startswith(b"\x89PNG")


async def test_a_chat_that_is_not_shared_does_not_exist_for_others(alice: Account, bob: Account):
    async with alice.chat() as chat:
        await chat.say("not shared")
    assert (await bob.shared(chat.thread_id)).status_code == 404


async def test_nobody_reads_a_shared_chat_without_a_login(alice: Account, server: ChainlitServer):
    async with alice.chat() as chat:
        await chat.say("shared with people")
        await alice.share(chat.thread_id)
    async with Account(server.url) as nobody:
        assert (await nobody.shared(chat.thread_id)).status_code == 401


async def test_a_chat_that_was_shared_before_the_page_was_closed_stays_shared(
    alice: Account, bob: Account
):
    async with alice.chat() as chat:
        await chat.say("share me")
        await alice.share(chat.thread_id)
    assert (await bob.shared(chat.thread_id)).status_code == 200
    [listed] = [t for t in await alice.threads() if t["id"] == chat.thread_id]
    assert listed["metadata"]["is_shared"] is True


async def test_a_chat_whose_sharing_was_ended_while_it_was_open_stays_private(
    alice: Account, bob: Account
):
    async with alice.chat() as chat:
        await chat.say("share me for a while")
        await alice.share(chat.thread_id)
    # The page that resumes it holds a copy of its metadata, and writes that copy when it closes.
    async with alice.chat(chat.thread_id):
        await alice.share(chat.thread_id, shared=False)
    assert (await bob.shared(chat.thread_id)).status_code == 404
    metadata = (await alice.thread(chat.thread_id)).json()["metadata"]
    assert "shared_at" not in metadata
