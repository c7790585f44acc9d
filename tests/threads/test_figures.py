"""What conversations took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from chainkeep.models import Step
from chainkeep.store import Store
from chainkeep.threads import Scope, Thread, Threads, Usage
from tests.threads.statements import statements_of

NOW = "2026-01-01T00:00:0{}.000000Z"


def call(name: str, call_id: str) -> Mapping[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}


async def ui_step(store: Store, thread: Thread, id: str, **given: Any) -> None:
    step = {"created_at": NOW.format(1), "thread_id": thread.id, **given}
    await store.create_step(Step(id=id, **step))


async def test_nothing_took_nothing(thread: Thread) -> None:
    figures = await thread.figures()
    assert figures.overall == Usage()
    assert figures.overall.average_latency == 0
    assert (figures.by_model, figures.tools, figures.tool_calls) == ({}, {}, 0)
    assert figures.messages == {"user": 0, "assistant": 0, "system": 0, "tool": 0}


async def test_tokens_and_calls_are_counted_by_model(thread: Thread) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    for _ in range(2):
        await thread.add_message("assistant", "a", model="big", usage=usage, latency=100)
    await thread.add_message("assistant", "b", model="small", usage={"prompt_tokens": None})
    await thread.add_message("assistant", "c", usage={"completion_tokens": 1}, latency=300)
    figures = await thread.figures()
    assert figures.by_model["big"] == Usage(
        calls=2, prompt_tokens=20, completion_tokens=10, total_tokens=30, timed_calls=2,
        total_latency=200,
    )  # fmt: skip
    assert figures.by_model["small"] == Usage(calls=1)
    assert figures.overall.total_tokens == 31
    assert round(figures.overall.average_latency, 6) == round(500 / 3, 6)


async def test_the_uis_model_calls_are_counted_once(store: Store, thread: Thread) -> None:
    made = {"model": "big", "inputTokenCount": 7, "outputTokenCount": 2, "duration": 0.5}
    await ui_step(store, thread, "r", type="run")
    await ui_step(store, thread, "l", type="llm", parent_id="r", generation=made)
    await ui_step(store, thread, "a", type="assistant_message", parent_id="r", generation=made)
    figures = await thread.figures()
    assert figures.by_model == {
        "big": Usage(
            calls=1, prompt_tokens=7, completion_tokens=2, total_tokens=9, timed_calls=1,
            total_latency=500,
        ),
    }  # fmt: skip


async def test_a_call_that_tells_no_time_took_from_its_start_to_its_end(
    store: Store, thread: Thread
) -> None:
    times = {"start": NOW.format(1), "end": NOW.format(3)}
    await ui_step(store, thread, "l", type="llm", generation={"model": "m"}, **times)
    await ui_step(store, thread, "r", type="run", generation={"model": "m"}, **times)
    overall = (await thread.figures()).overall
    assert (overall.timed_calls, round(overall.total_latency)) == (1, 2000)


async def test_a_call_may_take_less_than_a_millisecond(store: Store, thread: Thread) -> None:
    times = {"start": "2026-01-01T00:00:59.999900Z", "end": "2026-01-01T00:01:00.000150Z"}
    await ui_step(store, thread, "l", type="llm", generation={"model": "m"}, **times)
    overall = (await thread.figures()).overall
    assert (overall.timed_calls, round(overall.total_latency, 6)) == (1, 0.25)


async def test_an_odd_generation_counts_nothing_and_breaks_nothing(
    store: Store, thread: Thread
) -> None:
    odd = [
        "text", [1], {"model": "m\0", "tokenCount": "many", "duration": {}}, {"prompt": "\\u0000"},
    ]  # fmt: skip
    for number, generation in enumerate(odd):
        await ui_step(store, thread, f"{number}", type="llm", generation=generation)
    overall = (await thread.figures()).overall
    assert (overall.calls, overall.total_tokens, overall.timed_calls) == (4, 0, 0)


async def test_messages_are_counted_by_role(thread: Thread) -> None:
    for role in ("user", "user", "critic", "system"):
        await thread.add_message(role, "a")
    await (await thread.add_message("user", "gone")).delete()
    counts = (await thread.figures()).messages
    assert counts == {"user": 2, "assistant": 0, "system": 1, "tool": 0, "critic": 1}


async def test_a_tools_result_is_no_second_call(store: Store, thread: Thread) -> None:
    calls = [call("add", "1"), call("add", "2"), call("sub", "3")]
    await thread.add_message("assistant", "a\0", tool_calls=calls, attributes={"n": "\0"})
    await thread.add_message("tool", "2", tool_call_id="1", name="add")
    await ui_step(store, thread, "t", type="tool", name="search")
    figures = await thread.figures()
    assert figures.tools == {"add": 2, "search": 1, "sub": 1}
    assert figures.tool_calls == 4


async def test_all_of_an_owners_threads_are_counted_together(threads: Threads) -> None:
    for owner in ("ada", "ada", "bob"):
        thread = await threads.create(owner=owner)
        await thread.add_message("assistant", "a", model="m", usage={"total_tokens": 5})
    gone = await threads.create(owner="ada")
    await gone.add_message("user", "a")
    await gone.delete()
    figures = await threads.figures("ada")
    assert (figures.overall.total_tokens, figures.messages["assistant"]) == (10, 2)
    assert figures.messages["user"] == 0
    assert (await threads.figures("nobody")).overall == Usage()


async def test_figures_are_those_of_a_time(thread: Thread) -> None:
    await thread.add_message("user", "a")
    now = datetime.now(timezone.utc)
    hour = timedelta(hours=1)
    assert (await thread.figures(since=now - hour, until=now + hour)).messages["user"] == 1
    assert (await thread.figures(since=now + hour)).messages["user"] == 0
    assert (await thread.figures(until=now - hour)).messages["user"] == 0


async def test_figures_take_one_statement_whatever_the_length(thread: Thread) -> None:
    for number in range(10):
        await thread.add_message("user", f"{number}")
    assert len(await statements_of(thread.figures)) == 1


async def test_figures_are_those_of_an_organisation_or_a_product(threads: Threads) -> None:
    places = [("acme", "chat", "ada"), ("acme", "docs", "ada"), ("zeta", "chat", "bob")]
    for org, product, owner in [*places, (None, None, "ada")]:
        thread = await threads.create(owner=owner, org=org, product=product)
        await thread.add_message("assistant", "a", model="m", usage={"total_tokens": 5})
    assert (await threads.figures()).of_model("m").calls == 4
    assert (await threads.figures("ada")).of_model("m").calls == 3
    assert (await threads.figures(org="acme")).overall.total_tokens == 10
    assert (await threads.figures(product="chat")).messages["assistant"] == 2
    assert (await threads.figures("ada", org="acme", product="docs")).overall.calls == 1
    assert (await threads.within(Scope(user="ada")).figures()).overall.calls == 1
    assert (await threads.figures(org="nobody")).of_model("m") == Usage()


async def test_a_call_beside_a_message_is_the_same_call_only_for_the_same_model(
    store: Store, thread: Thread
) -> None:
    def made(model: str, tokens: int) -> dict[str, Any]:
        return {"model": model, "tokenCount": tokens}

    await thread.add_message("user", "a")
    content = await store.get_thread(thread.id)
    assert content is not None
    run = next(each.id for each in content.steps if each.type == "run")
    await ui_step(store, thread, "l", type="llm", parent_id=run, generation=made("big", 5))
    await thread.add_message("assistant", "b", model="big", usage={"total_tokens": 5})
    await thread.add_message("assistant", "c", model="small", usage={"total_tokens": 1})
    await ui_step(store, thread, "x", type="llm", generation=made("big", 7))
    figures = await thread.figures()
    assert figures.of_model("big") == Usage(calls=2, total_tokens=12)
    assert figures.of_model("small") == Usage(calls=1, total_tokens=1)


async def test_the_same_call_in_two_threads_is_two(store: Store, threads: Threads) -> None:
    for name in ("one", "two"):
        thread = await threads.create(name, owner="ada")
        await thread.add_message("assistant", "a", tool_calls=[call("add", "same")])
        await ui_step(store, thread, f"{name}-t", type="tool", name="add")
    assert (await threads.figures("ada")).tools == {"add": 4}
