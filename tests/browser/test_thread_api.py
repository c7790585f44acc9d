"""What an app's own code writes is seen in a browser, and what is typed there code reads."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from chainkeep.threads import Message, Role, Thread, Threads, open_threads, to_openai
from tests.support.server import ChainlitServer
from tests.support.ui import Ui
from tests.support.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURE = Image.new("RGB", (48, 32), "teal")
CALL = {"id": "c1", "type": "function", "function": {"name": "track", "arguments": '{"order": 42}'}}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def threads(
    server: ChainlitServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Threads]:
    """The app's threads, opened by another process: this one."""
    places = {
        f"CHAINKEEP_{name}": str(tmp_path_factory.mktemp(name)) for name in ("JOURNAL", "SPOOL")
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**server.kept, **places}.items():
            patch.setenv(name, value)
        async with open_threads() as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def written(threads: Threads) -> Thread:
    """A conversation of alice's that nobody typed."""
    thread = await threads.create("Order 42", owner="alice", attributes={"order": 42})
    await thread.add_role(Role(name="critic", user_name="Rita", icon="glasses"))
    await thread.add_message("user", "where is my parcel?")
    await thread.add_message("assistant", None, tool_calls=[CALL])
    await thread.add_message("tool", "in Oslo", tool_call_id="c1", name="track")
    await thread.add_message("assistant", "It is in Oslo.", images=[PICTURE])
    await thread.add_message("assistant", "She sounds annoyed.", private=True)
    await thread.add_message("critic", "That took too long.")
    return thread


async def known(threads: Threads, thread_id: str) -> Thread:
    found = await threads.get(thread_id)
    assert found is not None
    return found


async def last(thread: Thread, role: str) -> Message:
    found = await thread.last_message(role)
    assert found is not None
    return found


async def test_what_code_wrote_opens_from_the_sidebar_as_if_it_was_typed(
    alice: Ui, written: Thread
):
    await alice.page.reload()
    await expect(alice.entry(written.id)).to_contain_text("Order 42")
    await alice.entry(written.id).click()
    await expect(alice.said("where is my parcel?")).to_be_visible()
    await expect(alice.answer("It is in Oslo.")).to_be_visible()
    await expect(alice.page.locator("[data-step-type=tool]")).to_contain_text("track")
    await expect(alice.page.locator("img.inline-image")).to_have_js_property("naturalWidth", 48)
    await expect(alice.answer("That took too long.")).to_be_visible()
    await expect(alice.page.locator("img[src*='/avatars/glasses']")).to_have_count(1)
    await expect(alice.page.get_by_text("annoyed")).to_have_count(0)
    await alice.picture("written-by-code")


async def test_the_owner_speaks_as_the_user_in_a_role_of_their_own(alice: Ui, threads: Threads):
    thread = await threads.create("A customer", owner="alice")
    await thread.add_role(Role(name="customer", user_id="alice", user_name="Alice"))
    await thread.add_message("customer", "where is my pebble?")
    await thread.add_message("assistant", "On the beach.")
    await alice.open_thread(thread.id)
    await expect(alice.said("where is my pebble?")).to_be_visible()
    await alice.vote_up("found it")
    await eventually(lambda: _voted(thread, 1))
    assert (await last(thread, "assistant")).feedback_comment == "found it"


async def test_what_code_wrote_is_continued_and_voted_on(
    alice: Ui, written: Thread, threads: Threads
):
    await alice.open_thread(written.id)
    await alice.vote_up("quick")
    await eventually(lambda: _voted(written, 1))
    await alice.say("what did I say?")
    await expect(alice.answer("You said")).to_contain_text("where is my parcel?")
    thread = await known(threads, written.id)
    assert (thread.name, thread.attributes) == ("Order 42", {"order": 42})
    assert (await last(thread, "user")).text == "what did I say?"


async def _voted(thread: Thread, value: int) -> bool:
    return value in {message.feedback for message in await thread.messages()}


async def test_a_private_message_is_found_by_no_search(alice: Ui, written: Thread):
    await alice.page.reload()
    await expect(alice.entry(written.id)).to_be_visible()
    found = await alice.search("parcel")
    await expect(found.first).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await expect(await alice.search("annoyed")).to_have_count(0)


async def test_what_was_typed_is_read_with_tokens_tools_and_time(alice: Ui, threads: Threads):
    thread_id = await alice.say("what is 12 * (3 + 4)?")
    await expect(alice.answer("84")).to_be_visible()
    await alice.say("tell me a story")
    await expect(alice.answer("sang off-key")).to_be_visible()
    thread = await known(threads, thread_id)
    await eventually(lambda: _told(thread))
    assert thread.owner == "alice"
    spoken = [
        (message["role"], message["content"][0]["text"])
        for message in to_openai(await thread.messages())
    ]
    assert [role for role, _ in spoken] == ["user", "assistant", "user", "assistant"]
    assert [spoken[0][1], spoken[2][1]] == ["what is 12 * (3 + 4)?", "tell me a story"]
    flat = await thread.to_chat_completion(tool_steps=True)
    assert [message["role"] for message in flat][:4] == ["user", "assistant", "tool", "assistant"]
    assert flat[1]["tool_calls"][0]["function"]["name"] == "abacus"
    assert flat[1]["tool_calls"][0]["id"] == flat[2]["tool_call_id"]
    figures = await thread.figures()
    told = figures.of_model("pebble-1")
    assert (told.calls, told.prompt_tokens, told.timed_calls) == (1, 4, 1)
    assert told.total_tokens == told.completion_tokens + 4 > 4
    assert told.average_latency > 0
    assert figures.tools == {"abacus": 1}
    assert (figures.messages["user"], figures.messages["assistant"]) == (2, 2)


async def _told(thread: Thread) -> bool:
    """Whether all of both turns has arrived."""
    figures = await thread.figures()
    return figures.overall.calls == 1 and figures.messages["assistant"] == 2


async def test_what_only_code_keeps_survives_what_is_done_in_the_ui(alice: Ui, threads: Threads):
    thread_id = await alice.say("a dull remark")
    await expect(alice.answer("a dull remark")).to_be_visible()
    thread = await (await known(threads, thread_id)).update(attributes={"order": 42})
    remark = await last(thread, "user")
    await remark.add_reaction("👍", "ada")
    await remark.summarize("in short")
    await thread.add_role(Role(name="critic"))
    await thread.update(platforms={"slack": {"ts": "17.1"}}, tags=["shop"])
    await alice.reload()
    await alice.edit("a dull remark", "a bright remark")
    await expect(alice.answer("a bright remark")).to_be_visible()
    await alice.rename(thread_id, "Bright")
    await eventually(lambda: _named(thread, "Bright"))
    remark = await last(thread, "user")
    assert remark.text == "a bright remark"
    assert await remark.reactions() == {"👍": ["ada"]}
    assert list((await thread.summaries()).values()) == ["in short"]
    after = await thread.reload()
    assert (after.attributes, after.tags) == ({"order": 42}, ["shop"])
    assert after.platforms == {"slack": {"ts": "17.1"}}
    assert list(await after.roles()) == ["critic"]
    found = await threads.find(attributes={"order": 42})
    assert thread_id in {each.id for each in found}


async def _named(thread: Thread, name: str) -> bool:
    return (await thread.reload()).name == name
