"""What is outside of a scope is not there: for every method, reading or writing."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from chainkeep.errors import InvalidInputError, NotFoundError
from chainkeep.store import Store
from chainkeep.threads import Message, Role, Scope, Thread, Threads
from tests.threads.statements import statements_of

TABLES = ("threads", "steps", "elements", "feedbacks", "reactions", "thread_roles",
          "message_summaries", "thread_facts", "users", "blob_deletions")  # fmt: skip

PNG = b"\x89PNG\r\n\x1a\n"

FOREIGN = [
    Scope(user="eve", org="acme", product="chat"),
    Scope(user="ada", org="other", product="chat"),
    Scope(user="ada", org="acme", product="docs"),
    Scope(user="ada", product="chat"),  # without an organisation
    Scope(user="eve", any_org=True),
    Scope(),
]
OWN = [
    Scope(user="ada", org="acme", product="chat"),
    Scope(user="ada", any_org=True),
    Scope(org="acme"),
    Scope(product="chat", any_org=True),
    Scope(any_org=True),
]


@dataclass
class Hers:
    """Ada's thread, and what is in it, as somebody sees it who knows every id."""

    threads: Threads
    thread: Thread
    message: Message


async def write_hers(threads: Threads) -> Hers:
    thread = await threads.create(
        "Hers", owner="ada", org="acme", product="chat", attributes={"a": 1},
        platforms={"slack": {"ts": "1"}},
    )  # fmt: skip
    message = await thread.add_message(
        "user", "her words", model="m", usage={"total_tokens": 5}, images=[PNG]
    )
    await message.add_reaction("+1", "ada")
    await message.set_feedback(1)
    await message.summarize("short")
    await thread.add_role(Role(name="critic"))
    return Hers(threads, thread, message)


@pytest.fixture
async def hers(threads: Threads) -> Hers:
    return await write_hers(threads)


def seen_from(hers: Hers, scope: Scope) -> Hers:
    """The same with values that somebody made who is in that scope."""
    inside = hers.threads.within(scope)
    return Hers(
        inside,
        replace(hers.thread, _access=inside._access),
        replace(hers.message, _access=inside._access),
    )


async def rows(store: Store) -> dict[str, Any]:
    """What is in the tables, but for how far the search's indexer has come in the background."""
    found = {table: await store.execute(f"SELECT * FROM {table}", {}) for table in TABLES}  # noqa: S608 - names of ours
    return {
        # An update moves a row, and no order is asked for.
        table: sorted([{**row, "unindexed": None} for row in some], key=str)
        for table, some in found.items()
        if isinstance(some, list)
    }


async def found(threads: Threads) -> list[str]:
    return [thread.id for thread in (await threads.list()).items]


Call = Callable[[Hers], Awaitable[Any]]


async def totals(given: Hers) -> list[Any]:
    figures = await given.threads.figures()
    return [count for count in figures.messages.values() if count] + list(figures.by_model)


async def numbered(given: Hers) -> list[Any]:
    pages = [await given.threads.page(page_size=0, search=words) for words in (None, "her words")]
    return [each for page in pages for each in (page.total_count, *page.threads) if each]


async def made(given: Hers) -> None:
    with pytest.raises(InvalidInputError, match="scope"):
        await given.threads.create(owner="ada", org="acme", product="chat")


async def listed(given: Hers) -> Any:
    return (await given.threads.list(search="her", feedback=1)).items


async def searched(given: Hers) -> Any:
    return (await given.threads.search("her words", feedback=1)).items


async def found_by(given: Hers) -> Any:
    return [
        *await given.threads.find(attributes={"a": 1}),
        *await given.threads.find(platform="slack"),
        *await given.threads.find(attributes={"b": None}),
        *await given.threads.find(owner="ada"),
        *await given.threads.find(org="acme", product="chat"),
    ]


IN_VAIN = {"create", "restore", "purge", "replies", "system_message", "add_messages"}
"""What finds nothing to do here, in scope or out of it."""
SILENT = {"add_role", "clear", "delete", "remove_role", "replace_role", "summarize"}
"""What says nothing when it is done."""

NOTHING: tuple[Any, ...] = (None, [], {}, 0, False)
"""What a question about what is not there is answered with, where it does not raise."""

THREADS: Mapping[str, Call] = {
    "add_message": lambda given: given.threads.add_message(
        "user", "mine", thread_id=given.thread.id
    ),
    "create": made,
    "figures": totals,
    "find": found_by,
    "get": lambda given: given.threads.get(given.thread.id, include_deleted=True),
    "list": listed,
    "list_recent": lambda given: given.threads.list_recent(),
    "message": lambda given: given.threads.message(given.message.id),
    "page": numbered,
    "purge": lambda given: given.threads.purge(),
    "search": searched,
}
THREAD: Mapping[str, Call] = {
    "add_message": lambda given: given.thread.add_message("user", "mine"),
    "add_messages": lambda given: given.thread.add_messages([]),
    "add_reaction": lambda given: given.thread.add_reaction(given.message.id, "-1", "eve"),
    "add_role": lambda given: given.thread.add_role(Role(name="mine")),
    "attachments": lambda given: given.thread.attachments(),
    "clear": lambda given: given.thread.clear(),
    "copy": lambda given: given.thread.copy(),
    "current_turn": lambda given: given.thread.current_turn(),
    "delete": lambda given: given.thread.delete(),
    "delete_message": lambda given: given.thread.delete_message(given.message.id),
    "edit_message": lambda given: given.thread.edit_message(given.message.id, "mine"),
    "figures": lambda given: given.thread.figures(),
    "has_reaction": lambda given: given.thread.has_reaction(given.message.id, "+1", "ada"),
    "last_message": lambda given: given.thread.last_message(),
    "message": lambda given: given.thread.message(given.message.id),
    "messages": lambda given: given.thread.messages(),
    "messages_with_summaries": lambda given: given.thread.messages_with_summaries(),
    "reaction_counts": lambda given: given.thread.reaction_counts(given.message.id),
    "reactions": lambda given: given.thread.reactions(given.message.id),
    "reload": lambda given: given.thread.reload(),
    "remove_images": lambda given: given.thread.remove_images(),
    "remove_reaction": lambda given: given.thread.remove_reaction(given.message.id, "+1", "ada"),
    "remove_role": lambda given: given.thread.remove_role("critic"),
    "replace_role": lambda given: given.thread.replace_role(Role(name="critic", icon="mine")),
    "replies": lambda given: given.thread.replies(given.message.id),
    "restore": lambda given: given.thread.restore(),
    "roles": lambda given: given.thread.roles(),
    "share": lambda given: given.thread.share(),
    "summaries": lambda given: given.thread.summaries(),
    "system_message": lambda given: given.thread.system_message(),
    "to_chat_completion": lambda given: given.thread.to_chat_completion(),
    "to_openai": lambda given: given.thread.to_openai(),
    "to_swift3": lambda given: given.thread.to_swift3(),
    "turns": lambda given: given.thread.turns(),
    "update": lambda given: given.thread.update(name="Mine"),
    "version": lambda given: given.thread.version(),
}
MESSAGE: Mapping[str, Call] = {
    "add_reaction": lambda given: given.message.add_reaction("-1", "eve"),
    "delete": lambda given: given.message.delete(),
    "edit": lambda given: given.message.edit("mine"),
    "has_reaction": lambda given: given.message.has_reaction("+1", "ada"),
    "reaction_counts": lambda given: given.message.reaction_counts(),
    "reactions": lambda given: given.message.reactions(),
    "reload": lambda given: given.message.reload(),
    "remove_reaction": lambda given: given.message.remove_reaction("+1", "ada"),
    "set_disliked": lambda given: given.message.set_disliked(True),
    "set_feedback": lambda given: given.message.set_feedback(0),
    "summaries": lambda given: given.message.summaries(),
    "summarize": lambda given: given.message.summarize("mine"),
    "to_chat_completion": lambda given: given.message.to_chat_completion(),
    "to_openai": lambda given: given.message.to_openai(),
}
KINDS = ((Threads, THREADS), (Thread, THREAD), (Message, MESSAGE))
CALLS = [(kind, name, call) for kind, calls in KINDS for name, call in calls.items()]


@pytest.mark.parametrize(("kind", "calls"), KINDS)
def test_every_method_that_reads_or_writes_is_tried_here(
    kind: type, calls: Mapping[str, Call]
) -> None:
    methods = {
        name
        for name, member in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert methods == set(calls)


async def test_what_is_out_of_scope_is_neither_seen_nor_changed(hers: Hers, store: Store) -> None:
    before = await rows(store)
    for kind, name, call in CALLS:
        for scope in FOREIGN:
            try:
                result = await call(seen_from(hers, scope))
            except NotFoundError:
                result = None
            assert result in NOTHING, f"{kind.__name__}.{name} in {scope}"
        assert await rows(store) == before, f"{kind.__name__}.{name}"


@pytest.mark.parametrize("scope", OWN, ids=str)
async def test_what_is_in_scope_is_seen_and_changed_as_without_one(
    threads: Threads, scope: Scope
) -> None:
    for kind, name, call in CALLS:
        if name not in IN_VAIN:
            given = await write_hers(threads)
            result = await call(seen_from(given, scope))
            assert result or name in SILENT, f"{kind.__name__}.{name}"


async def test_a_message_that_is_said_to_be_elsewhere_is_neither_seen_nor_changed(
    hers: Hers, store: Store
) -> None:
    inside = hers.threads.within(Scope(user="eve"))
    mine = await inside.create()
    said = replace(hers.message, thread_id=mine.id, _access=inside._access)
    before = await rows(store)
    for name, call in MESSAGE.items():
        try:
            result = await call(Hers(inside, mine, said))
        except NotFoundError:
            result = None
        assert result in NOTHING, name
        after = await rows(store)
        assert {**after, "threads": None} == {**before, "threads": None}, name


async def test_a_hard_delete_out_of_scope_deletes_nothing(hers: Hers, store: Store) -> None:
    before = await rows(store)
    for scope in FOREIGN:
        with pytest.raises(NotFoundError):
            await seen_from(hers, scope).thread.delete(hard=True)
    assert await rows(store) == before


async def test_what_was_deleted_is_purged_and_restored_in_its_scope_only(hers: Hers) -> None:
    await hers.thread.delete()
    for scope in FOREIGN:
        outside = seen_from(hers, scope)
        assert await outside.threads.purge() == 0
        with pytest.raises(NotFoundError):
            await outside.thread.restore()
    inside = seen_from(hers, OWN[0])
    assert await inside.thread.restore()
    await inside.thread.delete()
    assert await inside.threads.purge() == 1


@pytest.mark.parametrize("scope", OWN, ids=str)
async def test_posting_in_a_scope_takes_two_statements(hers: Hers, scope: Scope) -> None:
    inside = seen_from(hers, scope)
    for role in ("user", "assistant", "critic"):
        post = partial(inside.thread.add_message, role, "text")
        assert len(await statements_of(post)) == 2


async def test_a_message_is_not_answered_from_another_thread(hers: Hers) -> None:
    mine = await hers.threads.within(Scope(user="eve")).create()
    with pytest.raises(InvalidInputError, match="reply"):
        await mine.add_message("user", "a", reply_to=hers.message.id)


async def test_what_is_made_in_a_scope_is_in_it(threads: Threads) -> None:
    inside = threads.within(Scope(user="ada", org="acme", product="chat"))
    thread = await inside.create()
    assert (thread.owner, thread.org, thread.product) == ("ada", "acme", "chat")
    assert await found(inside) == [thread.id]
    copy = await thread.copy()
    assert (copy.owner, copy.org, copy.product) == ("ada", "acme", "chat")


async def test_no_organisation_is_only_those_without_one(threads: Threads) -> None:
    without = await threads.create(owner="ada")
    within = await threads.create(owner="ada", org="acme")
    assert await found(threads.within(Scope(user="ada"))) == [without.id]
    assert await found(threads.within(Scope(user="ada", org="acme"))) == [within.id]
    assert await found(threads.within(Scope(user="ada", any_org=True))) == [within.id, without.id]
    assert await found(threads) == [within.id, without.id]


async def test_a_scope_within_a_scope_never_shows_more(threads: Threads) -> None:
    thread = await threads.create(owner="ada", org="acme", product="chat")
    inside = threads.within(Scope(org="acme"))
    assert await found(inside.within(Scope(any_org=True))) == [thread.id]
    assert inside.within(Scope(user="ada", any_org=True)).scope == Scope(user="ada", org="acme")
    for other in (Scope(org="other"), Scope()):
        with pytest.raises(InvalidInputError, match="scope"):
            inside.within(other)


async def test_a_list_of_others_in_a_scope_is_empty(threads: Threads) -> None:
    await threads.create(owner="eve", org="acme")
    inside = threads.within(Scope(user="ada", org="acme"))
    assert (await inside.list(owner="eve")).items == []
    assert (await inside.page("eve")).total_count == 0
    assert await inside.find(owner="eve") == []
    assert (await inside.figures("eve")).overall.calls == 0


async def test_an_organisation_and_a_product_are_set_once(threads: Threads) -> None:
    thread = await threads.create()
    placed = await thread.update(org="acme", product="chat")
    assert (placed.org, placed.product) == ("acme", "chat")
    again = await thread.update(org="other", product="docs", name="New")
    assert (again.org, again.product, again.name) == ("acme", "chat", "New")


async def test_no_thread_is_put_out_of_its_scope(threads: Threads) -> None:
    thread = await threads.within(Scope()).create()
    with pytest.raises(InvalidInputError, match="scope"):
        await thread.update(org="acme")


async def test_products_can_be_a_list(open_: Callable[..., Any]) -> None:
    threads: Threads = await open_(products=["chat", "docs"])
    assert (await threads.create(product="docs")).product == "docs"
    for attempt in (lambda: threads.create(product="x"), lambda: threads.list(product="x")):
        with pytest.raises(InvalidInputError, match="chat, docs"):
            await attempt()
    with pytest.raises(InvalidInputError, match="chat, docs"):
        threads.within(Scope(product="x"))


async def test_a_scope_is_of_one_organisation_or_of_any() -> None:
    with pytest.raises(InvalidInputError, match="any"):
        Scope(org="acme", any_org=True)


async def test_an_empty_name_is_nobodys(threads: Threads) -> None:
    await threads.create()
    await threads.create(owner="ada", org="acme")
    assert await found(threads.within(Scope(user="", any_org=True))) == []
    assert await found(threads.within(Scope(org=""))) == []
