"""The door, seen in a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.server import ChainlitServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_wrong_password_opens_nothing(browser: Browser, server: ChainlitServer):
    page = await browser.new_page()
    await page.goto(f"{server.url}/login")
    await page.fill("#email", "alice")
    await page.fill("#password", "guess")
    await page.click("button[type=submit]")
    await expect(page.get_by_text("Unable to sign in")).to_be_visible()
    await expect(page.locator("#chat-input")).to_have_count(0)
    await page.close()
