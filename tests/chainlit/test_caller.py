from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from chainkeep.chainlit.caller import known_caller, remember_caller
from tests.chainlit.apps.serving import log_in, served, served_mounted

FEEDBACK = {"feedback": {"forId": "step", "value": 1, "threadId": "shared"}, "sessionId": "none"}


@pytest.fixture(scope="module", params=[served, served_mounted])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with request.param(tmp_path_factory.mktemp("app")) as client:
        yield client


@pytest.mark.e2e
def test_a_vote_knows_who_casts_it(server: httpx.Client):
    with log_in(server, "alice") as alice, log_in(server, "bob") as bob:
        votes = [one.put("/feedback", json=FEEDBACK).json() for one in (alice, bob, alice)]
    assert [vote["feedbackId"] for vote in votes] == [
        f"for step from {name}" for name in ("alice", "bob", "alice")
    ]


@pytest.mark.e2e
def test_taking_a_vote_back_knows_who_does_it(server: httpx.Client):
    with log_in(server, "alice") as alice:
        taken_back = alice.request("DELETE", "/feedback", json={"feedbackId": "vote"})
        assert taken_back.is_success
        seen = alice.get("/project/thread/shared/element/any").json()
    assert seen["feedback_deleted"] == "vote by alice"


async def test_nobody_is_known_before_anybody_was_remembered():
    assert known_caller() is None


async def test_the_caller_is_known_in_the_same_task():
    remember_caller("alice")
    assert known_caller() == "alice"


async def test_a_task_started_in_the_callers_context_does_not_pass_for_the_caller():
    async def other() -> str | None:
        return known_caller()

    remember_caller("alice")
    assert await asyncio.create_task(other()) is None


async def test_two_requests_at_once_do_not_mix():
    async def request(name: str) -> str | None:
        remember_caller(name)
        await asyncio.sleep(0)
        return known_caller()

    names = ["alice", "bob"]
    assert list(await asyncio.gather(*map(request, names))) == names
