"""A Chainlit app whose data layer knows a few threads and elements, and fails where it is told to.

With NO_LOGIN set nobody logs in. A user's password is the user's name.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import cast

import chainlit as cl
from chainlit.data.base import BaseDataLayer
from chainlit.types import Feedback, ThreadDict
from chainlit.user import PersistedUser

from chainkeep.blobs import BlobInfo
from chainkeep.chainlit.caller import known_caller, remember_caller
from chainkeep.chainlit.route import install_element_route, signed_element_url
from chainkeep.errors import BlobNotFoundError, TransientBlobError, TransientStorageError
from chainkeep.presentation import ElementBlob

install_element_route()

BLOBS = {
    "digits": b"0123456789",
    "empty": b"",
    "html": b"<script>alert(1)</script>",
    "json": b'{"data": [], "layout": {"title": "' + b"x" * 2000 + b'"}}',
    "video": bytes(range(256)) * 1024,
}

#            element       blob       name               type         mime
ELEMENTS = {
    "picture": ("digits", "chart.png", "image", "image/png"),
    "nameless": ("digits", "chart.png", "image", None),
    "drawing": ("html", "a.svg", "image", "image/svg+xml"),
    "trick": ("html", "page.png", "image", "text/html"),
    "page": ("html", "page.html", "file", "text/html"),
    "umlaut": ("digits", 'Müller "x"\r\n.pdf', "file", "application/pdf"),
    "clip": ("video", "clip.mp4", "video", "video/mp4"),
    "voice": ("digits", "", "audio", "audio/webm; codecs=opus"),
    "paper": ("digits", "paper", "pdf", None),
    "note": ("json", "note", "text", "application/json"),
    "plot": ("json", "plot", "plotly", None),
    "table": ("json", "table", "dataframe", "application/json"),
    "tasks": ("", "tasks", "tasklist", None),
    "widget": ("json", "widget", "custom", "application/json"),
    "nothing": ("empty", "nothing.txt", "file", "text/plain"),
    "missing": ("missing", "gone.png", "image", "image/png"),
    "away": ("away", "away.png", "image", "image/png"),
    "bucket picture": ("bucket", "b.png", "image", "image/png"),
    "bucket note": ("bucket", "b.txt", "text", None),
    "a/ä?&=#+%": ("digits", "odd.png", "image", "image/png"),
}
AUTHORS = {"alice's": "alice", "shared": "alice", "bob's guests": "alice", "t/ä?&=#+%": "alice"}


class FaultyBlobs:
    """Blobs in memory; "bucket" is kept elsewhere, "away" is out of reach, "missing" not there."""

    async def info(self, key: str) -> BlobInfo:
        blob = self._bytes(key)
        return BlobInfo(size=len(blob), etag=sha256(blob).hexdigest())

    async def stream(
        self, key: str, *, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        blob = self._bytes(key)[start:end]
        for at in range(0, len(blob), 1000):
            yield blob[at : at + 1000]

    async def url(
        self, key: str, *, content_type: str, disposition: str | None = None
    ) -> str | None:
        return f"https://bucket.test/{content_type}/{disposition}" if key == "bucket" else None

    def _bytes(self, key: str) -> bytes:
        if key == "away":
            raise TransientBlobError
        if key == "missing":
            raise BlobNotFoundError
        return BLOBS.get(key, b"from the bucket")


class Layer:
    """What Chainlit's login and the element route ask for, and no more."""

    def __init__(self) -> None:
        self.blobs = FaultyBlobs()
        self.feedback_deleted = ""

    async def get_user(self, identifier: str) -> PersistedUser:
        remember_caller(identifier)
        return PersistedUser(id=identifier, identifier=identifier, createdAt="2026-01-01T00:00:00Z")

    async def create_user(self, user: cl.User) -> PersistedUser:
        return await self.get_user(user.identifier)

    async def get_thread_author(self, thread_id: str) -> str:
        if thread_id == "database away":
            raise TransientStorageError
        return AUTHORS.get(thread_id, "")

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        if thread_id not in AUTHORS:
            return None
        return ThreadDict(
            id=thread_id,
            createdAt="2026-01-01T00:00:00Z",
            name=None,
            userId="alice",
            userIdentifier="alice",
            tags=None,
            metadata={"is_shared": thread_id == "shared"},
            steps=[],
            elements=[],
        )

    async def element_blob(self, thread_id: str, element_id: str) -> ElementBlob | None:
        if thread_id not in AUTHORS or element_id not in ELEMENTS:
            return None
        key, name, kind, mime = ELEMENTS[element_id]
        content = b'{"tasks": []}' if key == "" else None
        return ElementBlob(
            key=key, name=name, type=kind, mime=mime, display="inline", content=content
        )

    async def get_element(self, thread_id: str, element_id: str) -> dict[str, str]:
        return {
            "url": signed_element_url(thread_id, element_id),
            "feedback_deleted": self.feedback_deleted,
        }

    async def upsert_feedback(self, feedback: Feedback) -> str:
        return f"for {feedback.forId} from {known_caller()}"

    async def delete_feedback(self, feedback_id: str) -> bool:
        self.feedback_deleted = f"{feedback_id} by {known_caller()}"
        return True

    async def close(self) -> None:
        pass


@cl.data_layer
def layer() -> BaseDataLayer:
    return cast("BaseDataLayer", Layer())


@cl.on_message
async def on_message(message: cl.Message) -> None:
    pass


@cl.on_shared_thread_view
async def may_view(thread: ThreadDict, viewer: cl.User | None) -> bool:
    return bool(viewer and viewer.identifier == "bob" and thread["id"] == "bob's guests")


if "NO_LOGIN" not in os.environ:

    @cl.password_auth_callback
    async def log_in(username: str, password: str) -> cl.User | None:
        return cl.User(identifier=username) if username == password else None
