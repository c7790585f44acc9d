"""A shared chat, seen in two browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.ui import Ui

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_shared_link_shows_the_chat_and_its_pictures_to_another_user(alice: Ui, bob: Ui):
    thread = await alice.say("show image")
    await expect(alice.answer("sunset")).to_be_visible()
    link = await alice.share(thread)
    await bob.page.goto(link)
    await expect(bob.answer("sunset")).to_be_visible()
    await expect(bob.page.locator("img.inline-image")).to_have_js_property("naturalWidth", 480)
    await expect(bob.page.locator("#chat-input")).to_have_count(0)


async def test_a_link_to_a_chat_that_is_not_shared_leads_nowhere(alice: Ui, bob: Ui):
    thread = await alice.say("not for sharing")
    await expect(alice.answer("not for sharing")).to_be_visible()
    async with bob.page.expect_response(f"**/project/share/{thread}") as answered:
        await bob.page.goto(f"{bob.url}/share/{thread}")
    assert (await answered.value).status == 404
    await expect(bob.page).to_have_url(f"{bob.url}/")
    await expect(bob.page.get_by_text("not for sharing")).to_have_count(0)
