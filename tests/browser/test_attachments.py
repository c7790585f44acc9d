"""Every kind of element, seen in a browser after the chat was loaded from the database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.support.server import ChainlitServer
from tests.support.ui import Ui, window

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shown(profile_of_alice: BrowserContext, server: ChainlitServer) -> AsyncIterator[Page]:
    """A chat in which everything was shown, resumed."""
    async with window(profile_of_alice, server.url) as ui:
        await ui.say("show everything")
        await expect(ui.answer("Here you are")).to_be_visible()
        await ui.reload()
        yield ui.page


async def test_an_image_is_shown(shown: Page):
    await expect(shown.locator("img.inline-image")).to_have_js_property("naturalWidth", 480)


async def test_a_text_is_shown(shown: Page):
    await expect(shown.locator(".inline-text")).to_contain_text("every time you knew me")


async def test_a_pdf_is_drawn(shown: Page):
    await expect(shown.locator(".inline-pdf canvas")).to_be_visible()


async def test_a_sound_can_be_played(shown: Page):
    sound = shown.locator(".inline-audio audio")
    await expect(sound).to_be_visible()
    await sound.evaluate("sound => { sound.muted = true; return sound.play() }")


async def test_a_film_can_be_played_from_its_middle(shown: Page):
    film = shown.locator(".inline-video video")
    await expect(film).to_have_js_property("videoWidth", 320)
    await film.evaluate(
        "film => new Promise(done => { film.onseeked = done; film.currentTime = 1.5 })"
    )


async def test_a_file_is_downloaded_under_its_name(shown: Page):
    async with shown.expect_download() as download:
        await shown.locator("a.inline-file").click()
    assert (await download.value).suggested_filename == "tides.csv"


async def test_a_chart_is_drawn(shown: Page):
    await expect(shown.locator(".inline-plotly .main-svg").first).to_be_visible()


async def test_a_table_is_shown(shown: Page):
    await expect(shown.get_by_role("cell", name="whelk")).to_be_visible()


async def test_a_task_list_is_shown(shown: Page):
    await expect(shown.locator("aside.tasklist")).to_contain_text("Count the pebbles")


async def test_a_component_keeps_its_state(alice: Ui):
    await alice.say("show custom")
    await expect(alice.page.locator("#count")).to_have_text("3")
    await alice.page.click("#add")
    await expect(alice.page.locator("#count")).to_have_text("4")
    await alice.reload()
    await expect(alice.page.locator("#count")).to_have_text("4")
    await alice.page.click("#add")
    await expect(alice.page.locator("#count")).to_have_text("5")
    await alice.reload()
    await expect(alice.page.locator("#count")).to_have_text("5")
