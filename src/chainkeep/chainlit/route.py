"""The route of the Chainlit app under which elements are read, and the URLs that lead to it.

An element's URL never expires and holds no secret: who may read is decided each time it is asked
for, by the rule that Chainlit applies to the thread. The bytes come from the blob store, streamed,
or by a redirect to an address that the store has just signed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Protocol, runtime_checkable
from urllib.parse import quote

from chainlit.auth import get_current_user, reuseable_oauth
from chainlit.config import config
from chainlit.data import get_data_layer
from chainlit.types import ThreadDict
from chainlit.user import User
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import override

from chainkeep.blobs import Blobs
from chainkeep.chainlit.responses import blob_response
from chainkeep.chainlit.signing import sign, signing_key, verify
from chainkeep.errors import BlobError, BlobNotFoundError, MigrationError, StorageError
from chainkeep.presentation import ElementBlob

PATH = "/chainkeep/element"
_ROUTE_NAME = "chainkeep_element"
_SERVER = "chainlit.server"
_ARRIVING = (0.1, 0.4, 1.0)
"""Seconds to wait for a blob that is missing."""

log = logging.getLogger("chainkeep")
_find_layer: Callable[[], object] = get_data_layer


@runtime_checkable
class ElementSource(Protocol):
    """What the route asks of the data layer. Every method raises where it could not look."""

    @property
    def blobs(self) -> Blobs: ...

    async def get_thread_author(self, thread_id: str) -> str:
        """The identifier of the thread's user; empty where there is no such thread or user."""

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """The thread, its metadata a dict; a copy that the caller may change."""

    async def element_blob(self, thread_id: str, element_id: str) -> ElementBlob | None:
        """The element, if it belongs to that thread and has bytes in the blob store."""


def element_url(thread_id: str, element_id: str) -> str:
    """The path and query under which a browser that has the app open reads the element."""
    return _address({"thread": thread_id, "id": element_id})


def signed_element_url(thread_id: str, element_id: str, *, lifetime: int = 3600) -> str:
    """An address for anyone who has it, without a login, for ``lifetime`` seconds from now.

    It is a whole URL where CHAINLIT_URL is set, so that it also works in a page of another site,
    and otherwise a path and query too.
    """
    expires = int(time.time()) + lifetime
    signature = sign(thread_id, element_id, expires=expires, key=signing_key())
    signed = {"expires": str(expires), "signature": signature}
    site = os.environ.get("CHAINLIT_URL", "").rstrip("/")
    return site + _address({"thread": thread_id, "id": element_id, **signed})


def _address(query: dict[str, str]) -> str:
    # The two variables by which Chainlit finds its own address, under --root-path and when mounted.
    parent = os.environ.get("CHAINLIT_PARENT_ROOT_PATH", "")
    own = os.environ.get("CHAINLIT_ROOT_PATH", "")
    fields = [f"{name}={quote(value, '', errors='replace')}" for name, value in query.items()]
    return f"{(parent + own).rstrip('/')}{PATH}?{'&'.join(fields)}"


async def serve_element(request: Request) -> Response:
    """Answer a GET or HEAD with the element.

    Or 401 without a login, 403 for a signature that is wrong or has expired, 404 for what is not
    there or not the caller's to see, 503 where the database or the blob store could not be asked.
    """
    layer = _find_layer()
    if not isinstance(layer, ElementSource):
        raise _refusal(404)
    thread_id = request.query_params.get("thread", "")
    element_id = request.query_params.get("id", "")
    try:
        await _authorize(request, layer, thread_id, element_id)
        blob = await layer.element_blob(thread_id, element_id)
        if blob is None:
            raise _refusal(404)
        return await _once_arrived(partial(blob_response, request, layer.blobs, blob))
    except BlobNotFoundError as exc:
        log.warning(
            "The blob of element %r of thread %r is missing: %s", element_id, thread_id, exc
        )
        raise _refusal(404) from exc
    except (StorageError, MigrationError, BlobError) as exc:
        log.warning("Element %r of thread %r could not be read: %s", element_id, thread_id, exc)
        raise _refusal(503) from exc


async def _once_arrived(answer: Callable[[], Awaitable[Response]]) -> Response:
    # The row is there before the bytes, which may be on their way from another worker process.
    for pause in _ARRIVING:
        try:
            return await answer()
        except BlobNotFoundError:
            await asyncio.sleep(pause)
    return await answer()


async def _authorize(
    request: Request, layer: ElementSource, thread_id: str, element_id: str
) -> None:
    signature = request.query_params.get("signature")
    if signature is None:
        caller = await get_current_user(await reuseable_oauth(request) or "")
        await _require_reader(layer, thread_id, caller)
        return
    expires = request.query_params.get("expires", "")
    if not verify(thread_id, element_id, expires=expires, signature=signature, key=signing_key()):
        raise _refusal(403)


async def _require_reader(layer: ElementSource, thread_id: str, caller: User | None) -> None:
    if caller is not None and await _is_author(layer, thread_id, caller):
        return
    if not await _is_shared_with(layer, thread_id, caller):
        raise _refusal(401 if caller is None else 404)


async def _is_author(layer: ElementSource, thread_id: str, caller: User) -> bool:
    author = await layer.get_thread_author(thread_id)
    return bool(author) and author == caller.identifier


async def _is_shared_with(layer: ElementSource, thread_id: str, caller: User | None) -> bool:
    # The rule of Chainlit's GET /project/share/{thread_id}.
    thread = await layer.get_thread(thread_id)
    if thread is None:
        return False
    if (thread.get("metadata") or {}).get("is_shared"):
        return True
    app_allows = config.code.on_shared_thread_view
    return bool(app_allows and await app_allows(thread, caller))


def _refusal(status: int) -> HTTPException:
    return HTTPException(status, headers={"Cache-Control": "no-store"})


def install_element_route() -> None:
    """See to it that the Chainlit app has the route before it answers its first request.

    Where Chainlit's server has not been imported yet, the route is added at the end of its import.
    It is not imported here: it settles on its root path then, which may not be known yet. Calling
    this again replaces the route.
    """
    server = sys.modules.get(_SERVER)
    if server is not None:
        _add_route(server.app)
    elif _ServerFinder not in sys.meta_path:
        sys.meta_path.insert(0, _ServerFinder)


def _add_route(app: Starlette) -> None:
    # First of all routes: Chainlit's last one answers every other path with its page.
    route = Route(config.run.root_path + PATH, serve_element, methods=["GET"], name=_ROUTE_NAME)
    others = [known for known in app.router.routes if getattr(known, "name", "") != _ROUTE_NAME]
    app.router.routes[:] = [route, *others]


class _ServerLoader(SourceFileLoader):
    @override
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _add_route(module.app)


class _ServerFinder:
    """An entry of ``sys.meta_path`` that finds Chainlit's server, and nothing else."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target) if fullname == _SERVER else None
        if found is None or found.origin is None:
            return None
        loader = _ServerLoader(fullname, found.origin)
        return spec_from_file_location(fullname, found.origin, loader=loader)
