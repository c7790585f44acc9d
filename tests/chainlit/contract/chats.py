"""Chainlit's side of a chat, without a server: its own sessions, emitters, handlers and routes."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Token
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import uuid4

import chainlit as cl
import httpx
from chainlit import server, socket
from chainlit.auth import create_jwt
from chainlit.chat_context import chat_contexts
from chainlit.context import ChainlitContext, context_var, init_http_context
from chainlit.session import WebsocketSession
from chainlit.types import Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser
from chainlit.user_session import user_sessions
from starlette.responses import JSONResponse

from chainkeep.chainlit import ChainkeepDataLayer

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")
Dict = dict[str, Any]
Work = Callable[[], Awaitable[T]]


def as_sent(value: T) -> T:
    """The value, once it has shown that Chainlit can send it by socket and by HTTP."""
    JSONResponse(content=value)
    assert json.loads(json.dumps(value)) == value
    return value


def fire(call: Coroutine[Any, Any, object]) -> None:
    """Start a call as Chainlit does: nobody keeps the task, or asks for its outcome."""
    _ = asyncio.create_task(call)


async def everything_fired() -> None:
    """Wait until every task that anybody has started is done, as an app that goes on would."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


class Chat:
    """A browser's connection to the app; ``with chat:`` runs code as a callback of the app's.

    What Chainlit sends to the page is in ``emitted``. ``answers`` are the page's, to whatever the
    app asks.
    """

    def __init__(
        self, user: cl.User | None, thread_id: str | None = None, session_id: str | None = None
    ) -> None:
        self.emitted: list[tuple[str, Any]] = []
        self.answers: deque[object] = deque()
        self.session = WebsocketSession(
            id=session_id or str(uuid4()),
            socket_id=str(uuid4()),
            emit=self._emit,  # type: ignore[arg-type]
            emit_call=self._answer,
            user_env={},
            client_type="webapp",
            user=user,
            thread_id=thread_id,
        )
        self._outside: list[Token[ChainlitContext]] = []

    @property
    def thread_id(self) -> str:
        return self.session.thread_id

    def __enter__(self) -> Self:
        self._outside.append(context_var.set(ChainlitContext(self.session)))
        return self

    def __exit__(self, *_: object) -> None:
        context_var.reset(self._outside.pop())

    async def say(self, text: str, **message: Any) -> str:
        """The user says something; Chainlit's answer to it is only started. The message's id."""
        step = {
            "id": str(uuid4()),
            "name": "alice",
            "type": "user_message",
            "output": text,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "metadata": {},
            "threadId": "",
            **message,
        }
        payload: Any = {"message": step, "fileReferences": None}
        await asyncio.create_task(socket.process_message(self.session, payload))
        return cast("str", step["id"])

    async def settled(self) -> Chat:
        """The chat, once all that Chainlit fired is done."""
        await everything_fired()
        return self

    async def disconnect(self) -> None:
        """The page is closed: Chainlit writes the session down and clears it away."""
        self.session.to_clear = True
        await asyncio.create_task(socket.disconnect(self.session.socket_id))

    async def resume(self) -> ThreadDict | None:
        """What Chainlit does when a chat is opened from the sidebar; the thread it then shows."""
        thread: ThreadDict | None = await asyncio.create_task(socket.resume_thread(self.session))
        self.session.has_first_interaction = thread is not None
        return thread

    async def _emit(self, event: str, data: Any) -> None:
        self.emitted.append((event, as_sent(data)))

    async def _answer(self, event: str, data: Any, timeout: int | None) -> Any:
        del timeout
        await self._emit(event, data)
        answer = self.answers.popleft()
        return await answer() if callable(answer) else answer

    async def close(self) -> None:
        await self.session.delete()
        user_sessions.pop(self.session.id, None)
        chat_contexts.pop(self.session.id, None)


class App:
    """A Chainlit app with the layer, and whoever uses it."""

    def __init__(self, layer: ChainkeepDataLayer) -> None:
        self.layer = layer
        self._chats: list[Chat] = []

    async def user(self, identifier: str) -> PersistedUser:
        """Somebody who is logged in; the task that asks does not become a request of theirs."""
        user = await self.layer.create_user(cl.User(identifier=identifier))
        assert user is not None
        return user

    async def chat(
        self, identifier: str | None = "alice", thread_id: str | None = None, **session: Any
    ) -> Chat:
        """A new connection of somebody's."""
        user = None if identifier is None else await self.user(identifier)
        self._chats.append(Chat(user, thread_id, **session))
        return self._chats[-1]

    async def spoken(
        self, identifier: str | None = "alice", text: str = "hello", thread_id: str | None = None
    ) -> Chat:
        """A chat in which the user has said something, all of it written."""
        chat = await self.chat(identifier, thread_id)
        await chat.say(text)
        return await chat.settled()

    async def thread(self, thread_id: str) -> Dict:
        """A thread that is there, fit to be sent."""
        thread = await self.layer.get_thread(thread_id)
        assert thread is not None
        return as_sent(cast("Dict", thread))

    async def steps(self, thread_id: str) -> list[Dict]:
        steps: list[Dict] = (await self.thread(thread_id))["steps"]
        return steps

    async def step(self, thread_id: str, step_id: str) -> Dict:
        """The one step of that id."""
        [step] = [step for step in await self.steps(thread_id) if step["id"] == step_id]
        return step

    async def outputs(self, thread_id: str) -> list[str]:
        return [step["output"] for step in await self.steps(thread_id)]

    async def elements(self, thread_id: str) -> dict[str, Dict]:
        """A thread's elements by their names."""
        elements = (await self.thread(thread_id))["elements"]
        return {element["name"]: element for element in elements}

    async def page(
        self, identifier: str = "alice", first: int = 20, cursor: str | None = None, **filters: Any
    ) -> Dict:
        """A page of somebody's sidebar, fit to be sent."""
        user = await self.user(identifier)
        page = await self.layer.list_threads(
            Pagination(first=first, cursor=cursor), ThreadFilter(userId=user.id, **filters)
        )
        return as_sent(cast("Dict", page.to_dict()))

    async def listed(self, identifier: str = "alice", **filters: Any) -> list[str]:
        """The ids on the first page of somebody's sidebar."""
        return [thread["id"] for thread in (await self.page(identifier, **filters))["data"]]

    async def bytes_of(self, thread_id: str, element_id: str) -> bytes:
        """What the element route would send."""
        blob = await self.layer.element_blob(thread_id, element_id)
        assert blob is not None
        if blob.content is not None:
            return blob.content
        return b"".join([piece async for piece in self.layer.blobs.stream(blob.key)])

    async def blob_keys(self) -> list[str]:
        return [key async for key in self.layer.blobs.keys()]  # noqa: SIM118 - no dict

    @asynccontextmanager
    async def http(self, identifier: str) -> AsyncIterator[httpx.AsyncClient]:
        """Chainlit's own routes, for somebody who is logged in."""
        await self.user(identifier)
        headers = {"Authorization": f"Bearer {create_jwt(cl.User(identifier=identifier))}"}
        transport = httpx.ASGITransport(app=server.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://app", headers=headers
        ) as client:
            yield client

    async def close(self) -> None:
        for chat in self._chats:
            await chat.close()


async def in_slack(work: Work[T], thread_id: str, user: PersistedUser | None = None) -> T:
    """Run code as Chainlit's handlers for chat platforms do: an HTTP session, and no page."""

    async def handler() -> T:
        init_http_context(thread_id=thread_id, user=user, client_type="slack")
        return await work()

    return await asyncio.create_task(handler())


def step_dict(id: str = "step", thread_id: str = "thread", **keys: Any) -> Any:
    """A StepDict as an app's own code may write one."""
    return {"id": id, "threadId": thread_id, "type": "assistant_message", "name": "bot", **keys}
