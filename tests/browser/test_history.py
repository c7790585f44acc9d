"""The sidebar and what it leads to, seen in a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.ui import Ui

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_reloaded_chat_shows_what_was_said_and_the_bot_remembers_it(alice: Ui):
    await alice.say("the tide is high")
    await expect(alice.answer("pebble number 1")).to_be_visible()
    await alice.reload()
    await expect(alice.answer("pebble number 1")).to_be_visible()
    await alice.say("what did I say?")
    await expect(alice.answer("You said")).to_contain_text("the tide is high")


async def test_tool_calls_are_still_there_after_a_reload(alice: Ui):
    await alice.say("what is 12 * (3 + 4)?")
    await expect(alice.answer("84")).to_be_visible()
    await alice.reload()
    await expect(alice.page.locator("[data-step-type=tool]")).to_contain_text("abacus")
    await expect(alice.answer("84")).to_be_visible()


async def test_a_chat_stands_in_the_sidebar_and_opens_with_a_click(alice: Ui):
    thread = await alice.say("a line for the sidebar")
    await alice.new_chat()
    await alice.entry(thread).click()
    await expect(alice.answer("a line for the sidebar")).to_be_visible()


async def test_a_renamed_chat_keeps_its_name(alice: Ui):
    thread = await alice.say("a chat with a dull name")
    await alice.rename(thread, "Low water marks")
    await alice.reload()
    await expect(alice.entry(thread)).to_contain_text("Low water marks")


async def test_search_finds_words_that_were_said_and_titles(alice: Ui):
    thread = await alice.say("a seldom seen nautilus")
    await expect(alice.answer("nautilus")).to_be_visible()
    await alice.rename(thread, "Spiral shells")
    await expect(await alice.search("NAUTILUS")).to_contain_text(["Spiral shells"])
    await alice.page.keyboard.press("Escape")
    await expect(await alice.search("spiral sh")).to_contain_text(["Spiral shells"])
    await alice.picture("search")


async def test_a_deleted_chat_is_gone_after_a_reload(alice: Ui):
    thread = await alice.say("to be forgotten")
    await expect(alice.answer("to be forgotten")).to_be_visible()
    await alice.delete(thread)
    await alice.page.reload()
    await expect(alice.page.locator("#thread-history")).to_be_visible()
    await expect(alice.entry(thread)).to_have_count(0)


async def test_another_user_sees_nothing_of_it(alice: Ui, bob: Ui):
    thread = await alice.say("for my eyes only")
    await expect(alice.answer("for my eyes only")).to_be_visible()
    await bob.page.reload()
    await expect(bob.page.locator("#thread-history")).to_be_visible()
    await expect(bob.entry(thread)).to_have_count(0)
    await bob.page.goto(f"{bob.url}/thread/{thread}")
    await expect(bob.page.get_by_text("Couldn't resume chat").first).to_be_visible()
    await expect(bob.page.get_by_text("for my eyes only")).to_have_count(0)
