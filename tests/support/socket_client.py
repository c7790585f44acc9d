"""A browser without a browser: logs in over HTTP and chats over the socket, as the page does.

`Account` is somebody who is logged in; `Chat` is one open chat of theirs. What a chat shows is
folded from the server's events by the page's own rules, of which the strict one is that a step
whose parent is not there is not shown.
"""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

import httpx
import socketio
from typing_extensions import Self

PATIENCE = 20.0

# Shared, for making one takes as long as a whole chat; the servers speak no TLS.
_TLS = ssl.create_default_context()

Step = dict[str, Any]


class RefusedError(Exception):
    """The server would not open the chat."""


class Account:
    """Somebody logged in; every method is one request of the page, and returns the response."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = httpx.AsyncClient(base_url=self.url, timeout=PATIENCE, verify=_TLS)

    async def log_in(self, name: str, password: str | None = None) -> Account:
        """Log in; the demo users' passwords are their names."""
        form = {"username": name, "password": name if password is None else password}
        (await self.http.post("/login", data=form)).raise_for_status()
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.aclose()

    @property
    def cookie(self) -> str:
        """The session's cookies as one header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.http.cookies.jar)

    async def threads(self, search: str | None = None, **page: Any) -> list[dict[str, Any]]:
        """A page of the sidebar, or what a search finds."""
        return list((await self.page(search, **page))["data"])

    async def page(
        self, search: str | None = None, *, first: int = 35, cursor: str | None = None
    ) -> dict[str, Any]:
        """A page of the sidebar with its cursors."""
        body = {"pagination": {"first": first, "cursor": cursor}, "filter": {"search": search}}
        response = (await self.http.post("/project/threads", json=body)).raise_for_status()
        return dict(response.json())

    async def thread(self, thread_id: str) -> httpx.Response:
        return await self.http.get(f"/project/thread/{thread_id}")

    async def shared(self, thread_id: str) -> httpx.Response:
        """What a shared link shows."""
        return await self.http.get(f"/project/share/{thread_id}")

    async def element(self, thread_id: str, element_id: str) -> httpx.Response:
        return await self.http.get(f"/project/thread/{thread_id}/element/{element_id}")

    async def rename(self, thread_id: str, name: str) -> httpx.Response:
        return await self.http.put("/project/thread", json={"threadId": thread_id, "name": name})

    async def share(self, thread_id: str, shared: bool = True) -> httpx.Response:
        body = {"threadId": thread_id, "isShared": shared}
        return await self.http.put("/project/thread/share", json=body)

    async def delete(self, thread_id: str) -> httpx.Response:
        body = {"threadId": thread_id}
        return await self.http.request("DELETE", "/project/thread", json=body)

    async def vote(
        self, chat: Chat, step: Step, value: int, comment: str | None = None
    ) -> httpx.Response:
        """Thumbs up (1) or down (0) on a run, as the page sends it."""
        given = dict(step.get("feedback") or {})
        target = {"forId": step["id"], "threadId": step["threadId"]}
        feedback = {**given, **target, "value": value, "comment": comment}
        body = {"feedback": feedback, "sessionId": chat.session_id}
        return await self.http.put("/feedback", json=body)

    async def withdraw_vote(self, feedback_id: str) -> httpx.Response:
        return await self.http.request("DELETE", "/feedback", json={"feedbackId": feedback_id})

    def chat(self, thread_id: str = "", **options: Any) -> Chat:
        """A new chat, or a stored one to go on with; open it with ``async with``."""
        return Chat(self, thread_id, **options)


class Chat:
    """One open chat. ``messages`` is the tree that the page would show, oldest first.

    ``answers`` maps the beginning of a question the app may ask to what is answered to it: a text,
    or whatever else the page would send back. With ``stored=False`` the thread id is one that is
    not known yet.
    """

    def __init__(
        self,
        account: Account,
        thread_id: str = "",
        *,
        stored: bool = True,
        profile: str = "",
        answers: dict[str, Any] | None = None,
    ) -> None:
        self.account = account
        self.session_id = str(uuid.uuid4())
        self.thread_id = thread_id
        self.messages: list[Step] = []
        self.elements: dict[str, dict[str, Any]] = {}
        self.favorites: list[Step] = []
        self.settings: dict[str, Any] = {}
        self.resumed: dict[str, Any] | None = None
        self._answers = answers or {}
        self._profile = profile
        self._stored = stored
        self._offered: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._on_event)
        self._socket.on("ask", self._on_ask)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    async def connect(self) -> None:
        """Open the chat, showing a stored one; ``RefusedError`` where that is not allowed."""
        origin, _, root = self.account.url.removeprefix("http://").partition("/")
        try:
            await self._socket.connect(
                f"http://{origin}",
                socketio_path=f"{root}/ws/socket.io".lstrip("/"),
                headers={"Cookie": self.account.cookie},
                transports=["websocket"],
                auth=self._introduction(),
                wait_timeout=int(PATIENCE),
            )
        except socketio.exceptions.ConnectionError as error:
            raise RefusedError(str(error)) from error
        await self._socket.call("connection_successful", timeout=PATIENCE)
        if self.thread_id and self._stored:
            await self.until(lambda: self.resumed is not None)

    async def leave(self) -> None:
        """Close the page: the server clears the session."""
        if self._socket.connected:
            await self._socket.emit("clear_session")
        await self._socket.disconnect()

    async def drop(self) -> None:
        """Lose the connection without a word."""
        await self._socket.disconnect()

    async def say(self, text: str, *, files: list[str] | None = None, **fields: Any) -> Step:
        """Send a message, wait until the app is done, and return it with its answers below it."""
        message = self._message(text, **fields)
        self.messages = add(self.messages, {**message, "steps": []})
        references = [{"id": file} for file in files or []]
        await self._socket.emit(
            "client_message", {"message": message, "fileReferences": references}
        )
        return await self.answered(message["id"])

    async def edit(self, step: Step, text: str) -> Step:
        """Edit a message of the user, and wait for the new answer."""
        place = [m["id"] for m in self.messages].index(step["id"])
        self.messages = [*self.messages[:place], {**step, "steps": []}]
        await self._socket.emit("edit_message", {"message": {**step, "output": text}})
        return await self.answered(step["id"])

    async def answered(self, message_id: str) -> Step:
        """Wait until the app is done with a message, and return it with its answers below it."""
        # The server names the thread when its first write is done, at times after the answer.
        await self.until(lambda: self.thread_id and _is_answered(self.find(message_id)))
        return self.find(message_id)

    async def star(self, step: Step, favorite: bool = True) -> None:
        """Star a message, or take the star away, and wait for the list of starred messages."""
        changed = {**step, "metadata": {**step.get("metadata", {}), "favorite": favorite}}
        await self._socket.call("message_favorite", {"message": changed}, timeout=PATIENCE)

    async def fetch_favorites(self) -> list[Step]:
        """The starred messages of all chats."""
        await self._socket.call("fetch_favorites", timeout=PATIENCE)
        return self.favorites

    async def change_settings(self, **settings: Any) -> None:
        """Change the settings that the app has offered, once it has."""
        await self.until(lambda: self._offered)
        await self._socket.call("chat_settings_change", settings, timeout=PATIENCE)

    async def upload(self, name: str, content: bytes, mime: str) -> str:
        """Attach a file; what comes back goes into ``say(files=[...])``."""
        response = await self.account.http.post(
            f"/project/file?session_id={self.session_id}", files={"file": (name, content, mime)}
        )
        return str(response.raise_for_status().json()["id"])

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait for something to hold, looking again after each event; else ``TimeoutError``."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(holds), PATIENCE)

    def find(self, step_id: str) -> Step:
        """A step that is shown, wherever it is in the tree; ``KeyError`` where it is not shown."""
        for step in walk(self.messages):
            if step["id"] == step_id:
                return step
        raise KeyError(step_id)

    def texts(self) -> list[str]:
        """The text of all messages that are shown, in order."""
        return [s["output"] for s in walk(self.messages) if "message" in s["type"]]

    def steps(self, kind: str) -> list[Step]:
        """The steps of one type that are shown, in order."""
        return [step for step in walk(self.messages) if step["type"] == kind]

    def _introduction(self) -> dict[str, str]:
        return {
            "sessionId": self.session_id,
            "clientType": "webapp",
            "userEnv": "{}",
            "chatProfile": self._profile,
            "threadId": self.thread_id,
        }

    def _message(self, text: str, **fields: Any) -> Step:
        return {
            "id": str(uuid.uuid4()),
            "name": "user",
            "type": "user_message",
            "output": text,
            "createdAt": datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
            "metadata": {},
            "threadId": "",
            **fields,
        }

    async def _on_ask(self, question: dict[str, Any]) -> Any:
        await self._on_event("new_message", question["msg"])
        return await self._answer(question["msg"])

    async def _answer(self, asked: Step) -> Any:
        answers = self._answers.items()
        answer = next(
            (given for start, given in answers if asked["output"].startswith(start)), None
        )
        if not isinstance(answer, str):
            return answer
        message = self._message(answer, parentId=asked.get("parentId"))
        await self._on_event("new_message", dict(message))
        return message

    async def _on_event(self, event: str, *data: Any) -> None:
        async with self._changed:
            apply = getattr(self, f"_{event}", None)
            if apply is not None:
                apply(*data)
            self._changed.notify_all()

    def _first_interaction(self, data: dict[str, Any]) -> None:
        self.thread_id = data["thread_id"]

    def _resume_thread(self, thread: dict[str, Any]) -> None:
        self.messages = tree(thread["steps"])
        self.elements = {element["id"]: element for element in thread["elements"] or []}
        self.settings = thread["metadata"].get("chat_settings") or {}
        self.resumed = thread

    def _new_message(self, step: Step) -> None:
        self.messages = add(self.messages, step)

    _stream_start = _new_message

    def _update_message(self, step: Step) -> None:
        self.messages = update(self.messages, step)

    def _delete_message(self, step: Step) -> None:
        self.messages = remove(self.messages, step["id"])

    def _stream_token(self, data: dict[str, Any]) -> None:
        for step in walk(self.messages):
            if step["id"] == data["id"]:
                field = "input" if data.get("isInput") else "output"
                before = "" if data["isSequence"] else step.get(field) or ""
                step[field] = before + data["token"]

    def _element(self, element: dict[str, Any]) -> None:
        self.elements[element["id"]] = element

    def _remove_element(self, data: dict[str, Any]) -> None:
        self.elements.pop(data["id"], None)

    def _chat_settings(self, inputs: list[dict[str, Any]]) -> None:
        self._offered = inputs

    def _set_favorites(self, steps: list[Step]) -> None:
        self.favorites = steps


def _is_answered(message: Step) -> bool:
    return any(run.get("end") for run in message["steps"])


def tree(steps: list[Step]) -> list[Step]:
    """A stored thread's steps as the page nests them; one that comes before its parent is lost."""
    nested: list[Step] = []
    for step in steps:
        nested = add(nested, step)
    return nested


def add(shown: list[Step], step: Step) -> list[Step]:
    """Show a step: in place of its old self, below its parent, or at the end; else not at all."""
    if any(old["id"] == step["id"] for old in walk(shown)):
        return update(shown, step)
    if not step.get("parentId"):
        return [*shown, dict(step)]
    return [_adopted(old, step) for old in shown]


def _adopted(old: Step, child: Step) -> Step:
    below = old.get("steps", [])
    if old["id"] == child["parentId"]:
        return {**old, "steps": [*below, dict(child)]}
    return {**old, "steps": [_adopted(step, child) for step in below]}


def update(shown: list[Step], step: Step) -> list[Step]:
    """Show a step's new values; a step that is not shown stays so."""
    return [
        {**old, **step}
        if old["id"] == step["id"]
        else {**old, "steps": update(old.get("steps", []), step)}
        for old in shown
    ]


def remove(shown: list[Step], step_id: str) -> list[Step]:
    """Hide a step and what is below it."""
    return [
        {**old, "steps": remove(old.get("steps", []), step_id)}
        for old in shown
        if old["id"] != step_id
    ]


def walk(shown: Iterable[Step]) -> Iterator[Step]:
    """All steps of a tree, parents first."""
    for step in shown:
        yield step
        yield from walk(step.get("steps", []))
