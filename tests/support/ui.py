"""Chainlit's page in a real Chromium, in the words of somebody who uses it.

Nothing here sleeps: each method returns when what it asked for is seen on the page.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    async_playwright,
    expect,
)

CHROMIUM = os.environ.get("CHAINKEEP_CHROMIUM") or shutil.which("chromium") or ""
# Another user's pictures may lie in a folder that all share.
_OWN_FOLDER = f"chainkeep-screenshots-{os.getuid()}"
SCREENSHOTS = Path(
    os.environ.get("CHAINKEEP_SCREENSHOTS") or Path(tempfile.gettempdir(), _OWN_FOLDER)
)
SCREENSHOTS.mkdir(parents=True, exist_ok=True)

# Milliseconds; a busy machine may need most of them.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    # The page asks for two style sheets from elsewhere; they shall fail at once.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A headless Chromium that sees the loopback network only."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=_ARGUMENTS, headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def logged_in(browser: Browser, url: str, user: str) -> AsyncIterator[BrowserContext]:
    """A browser profile of its own, in which ``user`` is logged in."""
    profile = await browser.new_context(
        base_url=url,
        viewport={"width": 1280, "height": 800},
        permissions=["clipboard-read", "clipboard-write"],
    )
    profile.set_default_timeout(PATIENCE)
    try:
        page = await profile.new_page()
        await Ui(page, url).log_in(user)
        await page.close()
        yield profile
    finally:
        await profile.close()


@asynccontextmanager
async def window(profile: BrowserContext, url: str) -> AsyncIterator[Ui]:
    """A window with a new chat."""
    page = await profile.new_page()
    try:
        await page.goto(f"{url}/")
        ui = Ui(page, url)
        await ui.connected()
        yield ui
    finally:
        await page.close()


class Ui:
    """One window."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    async def log_in(self, name: str, password: str | None = None) -> None:
        """Log in; the demo users' passwords are their names."""
        await self.page.goto(f"{self.url}/login")
        await self.page.fill("#email", name)
        await self.page.fill("#password", name if password is None else password)
        await self.page.click("button[type=submit]")
        await self.connected()

    async def connected(self) -> None:
        """Wait until the page has its connection; before that it loses what it is given."""
        await expect(self.page.locator("#upload-button")).to_be_enabled()

    async def say(self, text: str) -> str:
        """Send a message and return the thread's id; the answer may still be on its way."""
        await self.page.click("#chat-input")
        await self.page.keyboard.insert_text(text)
        await self.page.click("#chat-submit")
        await expect(self.said(text).last).to_be_visible()
        return await self.thread_id()

    async def attach(self, name: str, content: bytes, mime: str) -> None:
        """Attach a file to the next message."""
        file = FilePayload(name=name, mimeType=mime, buffer=content)
        await self.page.set_input_files("#upload-button-input", [file])
        await expect(self.page.locator("#attachments")).to_contain_text(name)
        await expect(self.page.locator("#attachments circle")).to_have_count(0)

    async def thread_id(self) -> str:
        """The id of the thread that is open."""
        await self.page.wait_for_url("**/thread/*")
        return self.page.url.rsplit("/", 1)[-1]

    async def open_thread(self, thread_id: str) -> None:
        """Open a stored chat by its address, and wait until it can be continued."""
        await self.page.goto(f"{self.url}/thread/{thread_id}")
        await expect(self.said("").first).to_be_visible()
        await self.connected()

    async def reload(self) -> None:
        """Load the page anew: what is seen then comes from the database."""
        await self.page.reload()
        await expect(self.said("").first).to_be_visible()
        await self.connected()

    async def new_chat(self) -> None:
        """Leave the chat for an empty one."""
        await self.page.click("#new-chat-button")
        await self.page.click("#confirm")
        await expect(self.said("")).to_have_count(0)
        await self.connected()

    def said(self, text: str) -> Locator:
        """The user's messages with that text."""
        return self.page.locator("[data-step-type=user_message]", has_text=text)

    def answer(self, text: str | re.Pattern[str]) -> Locator:
        """The bot's messages with that text."""
        return self.page.locator("[data-step-type=assistant_message]", has_text=text)

    async def vote_up(self, comment: str) -> None:
        """Praise the last answer."""
        await self.page.locator(".positive-feedback-off").last.click()
        await self.page.fill("[role=dialog] textarea", comment)
        await self.page.click("#submit-feedback")
        await expect(self.praised.last).to_be_visible()

    @property
    def praised(self) -> Locator:
        """The thumbs that are up."""
        return self.page.locator(".positive-feedback-on")

    async def edit(self, before: str, after: str) -> None:
        """Change a message of the user."""
        await self.said(before).hover()
        await self.said(before).locator("button.edit-message").click()
        await self.page.fill("#edit-chat-input", after)
        await self.page.click("button.confirm-edit")
        await expect(self.said(after)).to_be_visible()

    async def star(self, text: str) -> None:
        """Make a message of the user a favourite."""
        await self.said(text).hover()
        await self.said(text).locator(".favorite-message").click()
        await expect(self.starred(text)).to_be_visible()

    def starred(self, text: str) -> Locator:
        """The star of a message, when it shines."""
        return self.said(text).locator(".favorite-message.text-yellow-500")

    async def comment(self) -> Locator:
        """The comment on the last vote, opened."""
        await self.page.locator("button", has=self.page.locator(".lucide-message-circle")).click()
        return self.page.locator("[role=dialog] textarea")

    async def favorites(self) -> Locator:
        """The list of favourites at the composer, opened."""
        await self.page.click(".favorite-popover-wrapper button")
        return self.page.locator("[role=dialog] [role=option]")

    def entry(self, thread_id: str) -> Locator:
        """A thread's line in the sidebar."""
        return self.page.locator(f"#thread-history #thread-{thread_id}")

    async def rename(self, thread_id: str, name: str) -> None:
        """Give a thread another name."""
        await self._choose(thread_id, "rename")
        await self.page.fill("#name", name)
        await self.page.get_by_role("button", name="Confirm").click()
        await expect(self.entry(thread_id)).to_contain_text(name)

    async def delete(self, thread_id: str) -> None:
        """Delete a thread."""
        await self._choose(thread_id, "delete")
        await self.page.locator("[role=alertdialog]").get_by_role("button", name="Confirm").click()
        await expect(self.entry(thread_id)).to_have_count(0)

    async def share(self, thread_id: str) -> str:
        """Share a thread, and return the link that is on the clipboard then."""
        await self._choose(thread_id, "share")
        await (
            self.page.locator("[role=dialog]")
            .get_by_role("button", name="Share", exact=True)
            .click()
        )
        await expect(self.entry(thread_id).locator("svg.lucide-share-2")).to_be_visible()
        await self.page.keyboard.press("Escape")
        return str(await self.page.evaluate("navigator.clipboard.readText()"))

    async def search(self, words: str) -> Locator:
        """Search the history, and return the list of what is found; it may still be changing."""
        await self.page.click("#search-chats-button")
        await self.page.locator("[role=dialog] input").fill(words)
        return self.page.locator("[role=dialog] [role=option]")

    async def picture(self, name: str) -> Path:
        """Keep a picture of the window."""
        path = SCREENSHOTS / f"{name}.png"
        await self.page.screenshot(path=path)
        return path

    async def _choose(self, thread_id: str, what: str) -> None:
        await self.entry(thread_id).hover()
        # The dots are transparent until the line is hovered, which a click need not wait for.
        await self.entry(thread_id).locator("#thread-options").click(force=True)
        await self.page.click(f"#{what}-thread")
