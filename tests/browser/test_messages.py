"""What is done to single messages, seen in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.support.ui import Ui

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_answer_that_was_streamed_is_whole_after_a_reload(alice: Ui):
    await alice.say("tell me a story")
    await expect(alice.answer("A pebble lay")).to_be_visible()
    await expect(alice.answer("nothing was missing")).to_be_visible()
    await alice.reload()
    whole = re.compile("A pebble lay.*nothing was missing", re.DOTALL)
    await expect(alice.answer(whole)).to_be_visible()


async def test_a_thumb_and_its_comment_are_kept(alice: Ui):
    await alice.say("what is 6 * 7?")
    await expect(alice.answer("42")).to_be_visible()
    await alice.vote_up("The answer to everything")
    await alice.reload()
    await expect(alice.praised).to_be_visible()
    await expect(await alice.comment()).to_have_value("The answer to everything")


async def test_an_edited_message_replaces_what_came_after_it(alice: Ui):
    await alice.say("what is 1 + 1?")
    await expect(alice.answer("is 2")).to_be_visible()
    await alice.say("a remark")
    await expect(alice.answer("a remark")).to_be_visible()
    await alice.edit("what is 1 + 1?", "what is 20 + 2?")
    await expect(alice.answer("is 22")).to_be_visible()
    await alice.reload()
    await expect(alice.answer("is 22")).to_be_visible()
    await expect(alice.said("a remark")).to_have_count(0)
    await expect(alice.answer(re.compile("is 2[^0-9]"))).to_have_count(0)


async def test_a_favourite_is_offered_in_the_next_chat(alice: Ui):
    thread = await alice.say("how high is the tide?")
    await expect(alice.answer("how high")).to_be_visible()
    await alice.star("how high is the tide?")
    await alice.new_chat()
    await expect(await alice.favorites()).to_contain_text(["how high is the tide?"])
    await alice.picture("favourites")
    await alice.open_thread(thread)
    await expect(alice.starred("how high is the tide?")).to_be_visible()


async def test_a_file_that_was_attached_can_be_read_after_a_reload(alice: Ui):
    await alice.attach("shells.txt", b"cockle, whelk", "text/plain")
    await alice.say("what is this?")
    await expect(alice.answer("shells.txt")).to_contain_text("13 bytes")
    await alice.reload()
    link = alice.page.locator("a.inline-file", has_text="shells.txt")
    response = await alice.page.request.get(await link.evaluate("link => link.href"))
    assert await response.body() == b"cockle, whelk"
