"""Every kind of element, read over HTTP after the chat was opened again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.server import ChainlitServer
from tests.support.socket_client import Account, Chat

pytestmark = pytest.mark.e2e

CONTENT = {
    "image": ("image/png", b"\x89PNG"),
    "text": ("text/plain", b"*What the tide wrote*"),
    "pdf": ("application/pdf", b"%PDF-1.4"),
    "audio": ("audio/", b"RIFF"),
    "video": ("video/webm", b"\x1aE\xdf\xa3"),
    "file": ("text/csv", b"hour,metres"),
    "plotly": ("application/json", b"{"),
    "tasklist": ("", b"{"),
}


@pytest.fixture
async def resumed(alice: Account) -> AsyncIterator[Chat]:
    """A chat in which everything was shown, opened again."""
    async with alice.chat() as chat:
        await chat.say("show everything")
        await chat.until(lambda: len(chat.elements) == 10)
    async with alice.chat(chat.thread_id) as again:
        yield again


async def _get(account: Account, chat: Chat, kind: str, **options: object) -> httpx.Response:
    [element] = [element for element in chat.elements.values() if element["type"] == kind]
    address = urljoin(account.url, element["url"])
    return await account.http.get(address, follow_redirects=True, **options)  # type: ignore[arg-type]


async def test_every_element_can_be_read(alice: Account, resumed: Chat):
    for kind, (content_type, beginning) in CONTENT.items():
        response = await _get(alice, resumed, kind)
        assert response.status_code == 200, kind
        assert response.headers["content-type"].startswith(content_type), kind
        assert response.content.startswith(beginning), kind


async def test_a_table_is_not_sent_as_json(alice: Account, resumed: Chat):
    # The page parses it itself, and fails on what the browser has parsed for it.
    response = await _get(alice, resumed, "dataframe")
    assert "json" not in response.headers["content-type"]
    assert json.loads(response.content)["columns"] == ["shell", "found"]


async def test_the_state_of_a_component_is_an_object(resumed: Chat):
    [custom] = [e for e in resumed.elements.values() if e["type"] == "custom"]
    assert custom["props"] == {"label": "Pebbles", "count": 3}


async def test_a_film_can_be_read_in_parts(alice: Account, resumed: Chat):
    whole = (await _get(alice, resumed, "video")).content
    part = await _get(alice, resumed, "video", headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == whole[10:20]


async def test_a_file_is_offered_under_its_name(alice: Account, resumed: Chat):
    response = await _get(alice, resumed, "file")
    assert response.headers["content-disposition"].startswith("attachment")
    assert "tides.csv" in response.headers["content-disposition"]


async def test_another_user_cannot_read_an_element(resumed: Chat, bob: Account):
    for kind in CONTENT:
        assert (await _get(bob, resumed, kind)).status_code in {401, 403, 404}, kind


async def test_nobody_reads_an_element_without_a_login(
    resumed: Chat, alice: Account, server: ChainlitServer
):
    async with Account(server.url) as nobody:
        assert (await _get(nobody, resumed, "image")).status_code in {401, 403, 404}
    assert (await _get(alice, resumed, "image")).status_code == 200


async def test_an_upload_is_kept_to_the_byte(alice: Account):
    content = bytes(range(256)) * 4_000
    async with alice.chat() as chat:
        file = await chat.upload("odd näme/€.bin", content, "application/octet-stream")
        await chat.say("what is this?", files=[file])
    async with alice.chat(chat.thread_id) as again:
        assert "1,024,000 bytes" in again.texts()[-1]
        response = await _get(alice, again, "file")
        assert response.content == content


async def test_elements_go_with_their_thread(alice: Account, resumed: Chat):
    await alice.delete(resumed.thread_id)
    assert (await _get(alice, resumed, "image")).status_code == 404


@pytest.mark.parametrize("place", ["sqlite-disk"], indirect=True)
async def test_an_app_below_a_path_shows_its_elements(make_server: object):
    with make_server(root_path="/below") as server:  # type: ignore[operator]
        async with Account(server.url) as alice:
            await alice.log_in("alice")
            async with alice.chat() as chat:
                await chat.say("show image")
            async with alice.chat(chat.thread_id) as again:
                assert (await _get(alice, again, "image")).content.startswith(b"\x89PNG")
