"""Attachments at addresses that need no login, as `CHAINKEEP_DIRECT_URLS` hands them out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.server import ChainlitServer
from tests.support.socket_client import Account

pytestmark = pytest.mark.e2e

KINDS = {
    "image": b"\x89PNG", "text": b"*What the tide wrote*", "pdf": b"%PDF-1.4", "audio": b"RIFF",
    "video": b"\x1aE\xdf\xa3", "file": b"hour,metres", "plotly": b"{",
}  # fmt: skip


@pytest.fixture(scope="module")
def direct_server(make_server: Callable[..., ChainlitServer]) -> Iterator[ChainlitServer]:
    with make_server(more_env={"CHAINKEEP_DIRECT_URLS": "1"}) as running:
        yield running


@pytest.fixture
async def addresses(direct_server: ChainlitServer) -> AsyncIterator[dict[str, str]]:
    """Where each kind of element is, in a chat that was opened again."""
    async with Account(direct_server.url) as account:
        alice = await account.log_in("alice")
        async with alice.chat() as chat:
            await chat.say("show everything")
            await chat.until(lambda: len(chat.elements) == 10)
        async with alice.chat(chat.thread_id) as again:
            yield {
                element["type"]: urljoin(direct_server.url, element["url"])
                for element in again.elements.values()
                if element["type"] in KINDS
            }


async def test_whoever_has_an_address_reads_it_without_a_login(addresses: dict[str, str]):
    async with httpx.AsyncClient() as stranger:
        for kind, beginning in KINDS.items():
            response = await stranger.get(addresses[kind])
            assert response.status_code == 200, kind
            assert response.content.startswith(beginning), kind


async def test_a_changed_address_opens_nothing(addresses: dict[str, str]):
    async with httpx.AsyncClient() as stranger:
        for kind in KINDS:
            # Signatures end in letters or digits on every store.
            changed = addresses[kind][:-1] + ("0" if addresses[kind][-1] != "0" else "1")
            assert (await stranger.get(changed)).status_code in {401, 403}, kind
            bare = addresses[kind].partition("?")[0]
            assert (await stranger.get(bare)).status_code in {401, 403, 404, 422}, kind
