"""Threads are made, found, listed, changed, deleted, restored and copied."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import chainkeep
from chainkeep.attachments import Content
from chainkeep.errors import ConflictError, InvalidInputError, NotFoundError
from chainkeep.models import Element, Step
from chainkeep.scope import Scope
from chainkeep.settings import Settings
from chainkeep.store import Store
from chainkeep.threads import Role, Thread, Threads, open_threads
from tests.threads.statements import statements_of


async def test_a_thread_comes_back_with_all_that_it_was_given(threads: Threads) -> None:
    given: dict[str, Any] = {
        "owner": "ada",
        "tags": ["a", "b"],
        "attributes": {"n": 1, "deep": {"x": [True, None]}},
        "platforms": {"slack": {"channel": "C1"}},
        "metadata": {"chat_profile": "fast"},
        "public": True,
    }
    made = await threads.create("Orders", **given)
    found = await threads.get(made.id)
    assert found == made
    assert {name: getattr(made, name) for name in given} == given
    assert made.created_at.tzinfo is timezone.utc


async def test_a_blank_name_is_no_name(threads: Threads) -> None:
    made = await threads.create("  ")
    assert made.name is None
    assert made.title == "Untitled Thread"


async def test_a_blank_name_takes_the_name_away(thread: Thread) -> None:
    assert (await thread.update(name=" Orders ")).name == "Orders"
    assert (await thread.update(tags=["a"])).name == "Orders"
    cleared = await thread.update(name="  ")
    assert (cleared.name, cleared.title) == (None, "Untitled Thread")


async def test_an_id_is_given_once(threads: Threads) -> None:
    await threads.create(id="mine")
    with pytest.raises(ConflictError, match="mine"):
        await threads.create(id="mine")


async def test_a_thread_that_is_not_there_is_none(threads: Threads) -> None:
    assert await threads.get("no-such") is None


async def test_an_update_sets_what_is_given_and_leaves_the_rest(thread: Thread) -> None:
    await thread.update(tags=["a"], attributes={"x": 1}, metadata={"k": 1, "l": 2})
    changed = await thread.update(name="New", public=True, metadata={"k": None})
    assert (changed.name, changed.public, changed.tags) == ("New", True, ["a"])
    assert (changed.attributes, changed.metadata) == ({"x": 1}, {"l": 2})
    assert changed.created_at == thread.created_at
    assert changed.updated_at > thread.updated_at
    cleared = await changed.update(tags=[], attributes={})
    assert (cleared.tags, cleared.attributes, cleared.name) == ([], {}, "New")


async def test_what_a_platform_calls_a_thread_is_text(thread: Thread, threads: Threads) -> None:
    number: Any = {"slack": {"ts": 1}}
    with pytest.raises(InvalidInputError, match="slack"):
        await thread.update(platforms=number)
    with pytest.raises(InvalidInputError, match="slack"):
        await threads.create(platforms=number)


async def test_what_a_platform_calls_a_thread_has_names(thread: Thread, threads: Threads) -> None:
    bare: Any = {"slack": "C1"}
    with pytest.raises(InvalidInputError, match="slack"):
        await thread.update(platforms=bare)
    with pytest.raises(InvalidInputError, match="platform"):
        await threads.find(references={"ts": "1"})


async def test_what_is_given_is_taken_as_it_is_then(threads: Threads) -> None:
    deep: dict[str, Any] = {"list": [1]}
    making = asyncio.ensure_future(threads.create(attributes={"deep": deep}))
    await asyncio.sleep(0)
    deep["list"].append(2)
    assert (await making).attributes == {"deep": {"list": [1]}}


async def found(threads: Threads, **wanted: Any) -> list[str]:
    return sorted(thread.name or "" for thread in await threads.find(**wanted))


async def test_threads_are_found_by_attributes_of_the_same_type(threads: Threads) -> None:
    for name, value in [("int", 1), ("float", 1.0), ("text", "1"), ("true", True), ("none", None)]:
        await threads.create(name, attributes={"v": value, "all": "yes"})
    assert await found(threads, attributes={"v": 1}) == ["float", "int"]
    assert await found(threads, attributes={"v": 1.0}) == ["float", "int"]
    assert await found(threads, attributes={"v": "1"}) == ["text"]
    assert await found(threads, attributes={"v": True}) == ["true"]
    assert await found(threads, attributes={"v": None, "all": "yes"}) == ["none"]


async def test_lists_and_objects_are_no_text_that_looks_like_them(threads: Threads) -> None:
    values = {"object": {"b": 1, "a": [2]}, "its text": '{"a": [2], "b": 1}', "list": [1, "x"]}
    for name, value in values.items():
        await threads.create(name, attributes={"v": value})
    assert await found(threads, attributes={"v": {"a": [2.0], "b": 1}}) == ["object"]
    assert await found(threads, attributes={"v": '{"a": [2], "b": 1}'}) == ["its text"]
    assert await found(threads, attributes={"v": (1, "x")}) == ["list"]


async def test_what_json_has_no_word_for_is_found_as_it_is_kept(threads: Threads) -> None:
    odd: dict[Any, Any] = {1: "number", "nan": float("nan"), "odd": "\ufdd0 \0"}
    made = await threads.create("it", attributes=odd)
    assert made.attributes == {"1": "number", "nan": None, "odd": "\ufdd0 \0"}
    for key, value in made.attributes.items():
        assert await found(threads, attributes={key: value}) == ["it"]


async def test_every_attribute_has_to_match(threads: Threads) -> None:
    await threads.create("both", attributes={"a": 1, "b": 2})
    await threads.create("one", attributes={"a": 1, "b": 3})
    assert await found(threads, attributes={"a": 1, "b": 2}) == ["both"]


@pytest.mark.parametrize("key", ["bad-key", "a' OR 1=1 --", "a.b", '"', "é", "k" * 5000])
async def test_any_key_can_be_looked_for(threads: Threads, key: str) -> None:
    await threads.create("it", attributes={key: "v"})
    await threads.create("other", attributes={"x": "v"})
    assert await found(threads, attributes={key: "v"}) == ["it"]


async def test_threads_are_found_by_what_a_platform_calls_them(threads: Threads) -> None:
    await threads.create("one", platforms={"slack": {"channel": "C", "ts": "1"}})
    await threads.create("two", platforms={"slack": {"channel": "C", "ts": "2"}})
    await threads.create("three", platforms={"discord": {"channel": "C"}})
    assert await found(threads, platform="slack") == ["one", "two"]
    assert await found(threads, platform="slack", references={"ts": "2", "channel": "C"}) == ["two"]
    assert await found(threads, platform="slack') IS NULL OR 1=1 --") == []


async def test_a_thread_is_found_by_its_new_attributes_only(threads: Threads) -> None:
    made = await threads.create("it", attributes={"a": 1}, platforms={"slack": {"ts": "1"}})
    await made.update(attributes={"a": 2})
    assert await found(threads, attributes={"a": 1}) == []
    assert await found(threads, attributes={"a": 2}, platform="slack") == ["it"]


async def test_threads_are_found_among_an_owners(threads: Threads) -> None:
    for owner in ("ada", "bob"):
        await threads.create(owner, owner=owner, attributes={"a": 1})
    assert await found(threads, attributes={"a": 1}, owner="ada") == ["ada"]


async def test_a_list_goes_through_everything_newest_first(threads: Threads) -> None:
    for number in range(7):
        await threads.create(f"{number}", owner="ada")
    await threads.create("bob's", owner="bob")
    names, cursor = [], None
    while True:
        page = await threads.list(owner="ada", first=3, cursor=cursor)
        names += [thread.name for thread in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert names == ["6", "5", "4", "3", "2", "1", "0"]
    assert [thread.name for thread in (await threads.list(first=2)).items] == ["bob's", "6"]


async def test_the_thread_that_was_spoken_in_last_comes_first(threads: Threads) -> None:
    old = await threads.create("old", owner="ada")
    await threads.create("new", owner="ada")
    await old.add_message("user", "hi")
    assert [thread.name for thread in (await threads.list(owner="ada")).items] == ["old", "new"]


async def test_a_list_takes_one_statement_whatever_is_in_it(threads: Threads) -> None:
    for number in range(5):
        thread = await threads.create(f"{number}", owner="ada")
        await thread.add_message("user", "hi")
    assert len(await statements_of(lambda: threads.list(owner="ada"))) == 1


async def test_pages_are_counted(threads: Threads) -> None:
    for number in range(5):
        await threads.create(f"{number}", owner="ada")
    page = await threads.page("ada", page=2, page_size=2)
    assert [thread.name for thread in page.threads] == ["2", "1"]
    assert (page.total_count, page.total_pages, page.current_page) == (5, 3, 2)
    assert (page.has_next, page.has_previous) == (True, True)


async def test_a_page_beyond_the_end_is_empty(threads: Threads) -> None:
    await threads.create(owner="ada")
    page = await threads.page("ada", page=9, page_size=2)
    assert (page.threads, page.total_count, page.has_next, page.has_previous) == (
        [],
        1,
        False,
        True,
    )


async def test_a_size_of_nothing_is_everything(threads: Threads) -> None:
    for _ in range(3):
        await threads.create(owner="ada")
    page = await threads.page("ada", page_size=0)
    assert (len(page.threads), page.total_pages, page.has_next) == (3, 1, False)


@pytest.mark.parametrize(("page", "size"), [(0, 5), (-1, 5), (1, -1)])
async def test_there_is_no_such_page(threads: Threads, page: int, size: int) -> None:
    with pytest.raises(InvalidInputError):
        await threads.page("ada", page=page, page_size=size)


async def test_a_search_finds_names_and_what_was_said_in_public(threads: Threads) -> None:
    said = await threads.create("a", owner="ada")
    await said.add_message("user", "100% SURE")
    await (await threads.create("100% summer", owner="ada")).add_message("user", "x")
    secret = await threads.create("c", owner="ada")
    await secret.add_message("user", "100% private", private=True)
    gone = await threads.create("d", owner="ada")
    await (await gone.add_message("user", "100% gone")).delete()

    async def names(words: str) -> set[str | None]:
        by_page = await threads.page("ada", search=words)
        by_list = await threads.list(owner="ada", search=words)
        of_all = await threads.list(search=words)
        assert by_page.threads == by_list.items == of_all.items
        return {thread.name for thread in by_list.items}

    assert await names("100%") == {"a", "100% summer"}
    assert await names("Sure") == {"a"}
    assert await names("1_0") == set()


async def test_a_deleted_thread_is_seen_nowhere_and_comes_back_whole(threads: Threads) -> None:
    thread = await threads.create("it", owner="ada", attributes={"a": 1})
    await thread.add_message("user", "hi")
    await thread.delete()
    assert await threads.get(thread.id) is None
    assert (await threads.list(owner="ada")).items == []
    assert (await threads.page("ada")).total_count == 0
    assert await threads.find(attributes={"a": 1}) == []
    assert await thread.messages() == []
    with pytest.raises(NotFoundError):
        await thread.delete()
    with pytest.raises(NotFoundError):
        await thread.update(name="x")
    aside = await threads.get(thread.id, include_deleted=True)
    assert aside is not None
    assert aside.deleted_at is not None
    assert await aside.restore()
    assert not await aside.restore()
    assert await threads.find(attributes={"a": 1}) == [await thread.reload()]
    assert [message.text for message in await thread.messages()] == ["hi"]


async def test_nothing_of_a_deleted_thread_is_seen(threads: Threads) -> None:
    thread = await threads.create("it")
    message = await thread.add_message("user", "hi", images=["https://host/x.png"])
    await message.summarize("short")
    await message.add_reaction("+1", "ada")
    await thread.add_role(Role(name="critic"))
    await thread.delete()
    assert await thread.roles() == {}
    assert await thread.summaries() == {}
    assert await message.summaries() == []
    assert await thread.attachments() == []
    assert await message.reactions() == {}
    assert not await message.delete()
    assert not await message.remove_reaction("+1", "ada")
    for refused in (message.edit("x"), message.set_feedback(1), thread.clear(), thread.copy()):
        with pytest.raises(NotFoundError):
            await refused
    await thread.restore()
    assert list(await thread.roles()) == ["critic"]
    assert await message.summaries() == ["short"]
    assert len(await thread.attachments()) == 1


async def test_what_is_deleted_for_good_cannot_be_restored(threads: Threads) -> None:
    thread = await threads.create("it", owner="ada", attributes={"a": 1})
    await thread.add_message("user", "hi")
    await thread.add_role(Role(name="critic"))
    await thread.delete(hard=True)
    assert not await thread.restore()
    assert await threads.get(thread.id, include_deleted=True) is None
    with pytest.raises(ConflictError):
        await threads.create(id=thread.id)


async def test_a_purge_deletes_for_good_what_was_deleted_before(threads: Threads) -> None:
    kept, gone = await threads.create("kept"), await threads.create("gone")
    await gone.delete()
    assert await threads.purge(before=datetime.now(timezone.utc) - timedelta(days=1)) == 0
    assert await threads.purge() == 1
    assert not await gone.restore()
    assert await threads.get(kept.id) is not None


async def test_a_copy_is_the_same_under_new_ids(threads: Threads, store: Store) -> None:
    thread = await threads.create("it", owner="ada", attributes={"a": 1})
    asked = await thread.add_message("user", "a", private=True, attributes={"x": 1})
    answer = await thread.add_message("critic", "b", reply_to=asked.id)
    await answer.summarize("a and b")
    await thread.add_role(Role(name="critic", icon="eye"))
    element = Element(id="e", thread_id=thread.id, for_id=asked.id, type="image", mime="image/png")
    await store.save_element(element, Content(source=b"png"))

    copy = await thread.copy(name="again")
    await thread.delete(hard=True)

    assert (copy.name, copy.owner, copy.attributes) == ("again", "ada", {"a": 1})
    assert (await (await copy.copy(name=" ")).copy()).name is None
    first, second = await copy.messages()
    assert (first.text, first.private, first.attributes) == ("a", True, {"x": 1})
    assert (second.role, second.reply_to) == ("critic", first.id)
    assert {first.id, second.id}.isdisjoint({asked.id, answer.id})
    assert await copy.summaries() == {second.id: "a and b"}
    assert (await copy.roles())["critic"].icon == "eye"
    [copied] = first.attachments
    assert await copied.read() == b"png"


async def test_a_copy_goes_on_after_what_was_said_also_where_a_clock_was_ahead(
    thread: Thread, store: Store
) -> None:
    at = "2999-01-01T00:00:00.000000Z"
    await store.create_step(
        Step(id="ahead", thread_id=thread.id, type="user_message", output="then", created_at=at)
    )
    copy = await thread.copy()
    await copy.add_message("assistant", "now")
    assert [message.text for message in await copy.messages()] == ["then", "now"]


async def test_a_copy_has_the_favourites_of_the_thread(threads: Threads, store: Store) -> None:
    thread = await threads.create("it", owner="ada")
    message = await thread.add_message("user", "starred")
    await store.set_favorite(message.id, True)
    user = await store.get_user("ada")
    assert user is not None
    copy = await thread.copy()
    [copied] = await copy.messages()
    found = {step[0] for step in await store.favorite_steps(user.id)}
    assert found == {message.id, copied.id}


async def test_a_restored_thread_has_its_favourites_again(threads: Threads, store: Store) -> None:
    thread = await threads.create("it", owner="ada")
    message = await thread.add_message("user", "starred")
    await store.set_favorite(message.id, True)
    user = await store.get_user("ada")
    assert user is not None
    await thread.delete()
    assert await store.favorite_steps(user.id) == []
    await thread.restore()
    assert [step[0] for step in await store.favorite_steps(user.id)] == [message.id]


async def test_roles_belong_to_one_thread(threads: Threads) -> None:
    one, other = await threads.create(), await threads.create()
    await one.add_role(Role(name="bot", user_id="u", user_name="Bot", icon="i", description="d"))
    assert await one.roles() == {
        "bot": Role(name="bot", user_id="u", user_name="Bot", icon="i", description="d")
    }
    assert await other.roles() == {}
    with pytest.raises(ConflictError, match="Role bot already exists"):
        await one.add_role(Role(name="bot"))
    await one.remove_role("bot")
    with pytest.raises(NotFoundError, match="Role bot does not exist"):
        await one.remove_role("bot")


async def test_a_reaction_counts_once_and_in_order(thread: Thread) -> None:
    message = await thread.add_message("user", "hi")
    assert await message.add_reaction("👍", "ada")
    assert await thread.add_reaction(message.id, "👍", "bob")
    assert not await message.add_reaction("👍", "ada")
    assert await message.reactions() == {"👍": ["ada", "bob"]}
    assert await message.reaction_counts() == {"👍": 2}
    assert await message.has_reaction("👍", "ada")
    assert await thread.has_reaction(message.id, "👍", "bob")
    assert not await thread.has_reaction("no-such", "👍", "bob")
    assert await thread.reaction_counts(message.id) == {"👍": 2}
    assert await thread.reaction_counts("no-such") == {}
    assert await message.remove_reaction("👍", "ada")
    assert not await message.remove_reaction("👍", "ada")
    assert await thread.remove_reaction(message.id, "👍", "bob")
    assert await thread.reactions(message.id) == {}


async def test_nobody_reacts_to_what_is_not_there(thread: Thread) -> None:
    message = await thread.add_message("user", "hi")
    await message.add_reaction("x", "ada")
    await message.delete()
    assert not await message.add_reaction("👍", "ada")
    assert not await thread.add_reaction("no-such", "👍", "ada")
    assert await message.reactions() == {}


@pytest.mark.parametrize(("emoji", "user"), [("", "ada"), ("x", "")])
async def test_a_reaction_is_an_emoji_and_a_user(thread: Thread, emoji: str, user: str) -> None:
    message = await thread.add_message("user", "hi")
    with pytest.raises(InvalidInputError):
        await message.add_reaction(emoji, user)


async def test_of_many_same_reactions_at_once_one_is_new(
    settings: Settings, thread: Thread
) -> None:
    message = await thread.add_message("user", "hi")

    async def react() -> bool:
        async with open_threads(settings) as own:
            mine = await own.message(message.id)
            assert mine is not None
            return await mine.add_reaction("👍", "ada")

    assert sorted(await asyncio.gather(*(react() for _ in range(6)))) == [False] * 5 + [True]


async def test_a_summary_is_replaced_and_goes_with_its_message(thread: Thread) -> None:
    message = await thread.add_message("user", "hi")
    await message.summarize("one")
    await message.summarize("two")
    assert await thread.summaries() == {message.id: "two"}
    await message.delete()
    assert await thread.summaries() == {}
    with pytest.raises(NotFoundError):
        await message.summarize("three")


async def test_open_threads_is_found_in_the_package() -> None:
    assert chainkeep.open_threads is open_threads


async def test_a_url_is_enough(database_url: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_threads(database_url) as threads:
        await threads.create("it")
    async with open_threads(database_url) as threads:
        assert [thread.name for thread in (await threads.list()).items] == ["it"]


async def test_the_first_message_makes_its_thread(threads: Threads) -> None:
    message = await threads.add_message("user", "Where is\nmy parcel, please?", owner="ada")
    [thread] = (await threads.list(owner="ada")).items
    assert (thread.id, thread.name) == (message.thread_id, "Where is my parcel, ple...")
    assert [each.text for each in await thread.messages()] == ["Where is\nmy parcel, please?"]
    again = await threads.add_message("assistant", "here", thread_id=thread.id)
    assert again.thread_id == thread.id
    assert len(await thread.messages()) == 2


async def test_a_short_first_message_is_the_name(threads: Threads) -> None:
    names = {}
    for text in ("hi", "a" * 23, ""):
        message = await threads.add_message("user", text)
        made = await threads.get(message.thread_id)
        assert made is not None
        names[text] = made.name
    assert names == {"hi": "hi", "a" * 23: "a" * 23, "": None}
    dotted = await threads.add_message("user", "hi", always_dots=True)
    made = await threads.get(dotted.thread_id)
    assert made is not None
    assert made.name == "hi..."


async def test_no_thread_is_left_where_its_first_message_is_refused(threads: Threads) -> None:
    taken = await threads.add_message("user", "hi", owner="ada")
    with pytest.raises(ConflictError):
        await threads.add_message("user", "ho", owner="ada", id=taken.id)
    with pytest.raises(NotFoundError):
        await threads.add_message("user", "ho", thread_id="nowhere")
    assert len((await threads.list(owner="ada")).items) == 1


async def test_deleting_for_good_says_whether_there_was_a_thread(threads: Threads) -> None:
    thread = await threads.create()
    await thread.delete()
    assert await thread.delete(hard=True)
    assert not await thread.delete(hard=True)


async def test_sharing_is_public_and_known_to_the_ui(thread: Thread) -> None:
    shared = await thread.share()
    assert (shared.public, shared.metadata["is_shared"]) == (True, True)
    assert shared.metadata["shared_at"]
    unshared = await thread.share(shared=False)
    assert (unshared.public, unshared.metadata) == (False, {"is_shared": False})


async def test_a_thread_that_the_ui_shares_is_public(threads: Threads, store: Store) -> None:
    await store.update_thread("ui", metadata={"is_shared": True})
    shared = await threads.get("ui")
    assert shared is not None
    assert shared.public
    assert not (await shared.update(public=False)).public


async def test_a_thread_changes_when_somebody_posts_or_reacts(thread: Thread) -> None:
    times = [thread.updated_at]
    message = await thread.add_message("user", "hi")
    for work in (
        lambda: message.edit("ho"),
        lambda: message.add_reaction("+1", "ada"),
        lambda: message.remove_reaction("+1", "ada"),
        lambda: thread.add_role(Role(name="critic")),
        message.delete,
        thread.clear,
    ):
        times.append((await thread.reload()).updated_at)
        await work()
    times.append((await thread.reload()).updated_at)
    assert times == sorted(set(times))
    assert not await message.add_reaction("+1", "ada")
    unchanged = await thread.reload()
    assert (unchanged.updated_at, unchanged.created_at) == (times[-1], thread.created_at)


async def test_times_are_seconds_too(thread: Thread) -> None:
    assert thread.created == thread.created_at.timestamp() <= thread.updated


async def test_a_role_is_replaced_in_its_place(thread: Thread) -> None:
    for name in ("first", "second"):
        await thread.add_role(Role(name=name, icon="old"))
    await thread.replace_role(Role(name="first", user_name="Rita"))
    assert list((await thread.roles()).values()) == [
        Role(name="first", user_name="Rita"), Role(name="second", icon="old"),
    ]  # fmt: skip
    with pytest.raises(NotFoundError):
        await thread.replace_role(Role(name="third"))
    for bad in (Role(name="bad", icon="a\nb"), Role(name=""), Role(name=" ")):
        with pytest.raises(InvalidInputError):
            await thread.add_role(bad)


async def test_a_thread_knows_its_last_message_whoever_wrote_it(
    threads: Threads, store: Store
) -> None:
    thread = await threads.create(owner="ada", attributes={"a": 1})
    assert thread.last_message_id is None
    answer = await thread.add_message("assistant", "hello")
    asked = await thread.add_message("user", "bye")
    assert (await thread.reload()).last_message_id == asked.id
    await asked.delete()
    found = [
        *(await threads.list(owner="ada")).items,
        *(await threads.list()).items,
        *await threads.find(attributes={"a": 1}),
    ]
    assert [each.last_message_id for each in found] == [answer.id] * 3
    step = Step(
        id="ui", thread_id=thread.id, type="user_message", created_at="2999-01-01T00:00:00.000000Z"
    )
    await store.create_step(step)
    assert (await thread.reload()).last_message_id == "ui"


async def test_the_first_message_makes_its_thread_in_the_scope(threads: Threads) -> None:
    mine = threads.within(Scope(user="ada", product="chat"))
    message = await mine.add_message("user", "hi")
    [thread] = (await mine.list()).items
    assert (thread.id, thread.owner, thread.product) == (message.thread_id, "ada", "chat")
    assert (await message.edit("hello")).text == "hello"
    await mine.add_message("assistant", "yes?", thread_id=thread.id)
    others = threads.within(Scope(user="eve"))
    with pytest.raises(NotFoundError):
        await others.add_message("user", "mine", thread_id=thread.id)
