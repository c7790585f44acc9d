"""A TCP proxy on loopback that fails in the ways in which networks and servers fail."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_PIECE = 65536


class FaultProxy:
    """Stands before a server on loopback and passes everything on, until told otherwise::

    async with FaultProxy(server.port) as proxy:
        connect_to(proxy.port)
        proxy.reset()
    """

    def __init__(self, upstream: int) -> None:
        self.port = 0
        """Where clients connect; the same for as long as the proxy lives."""
        self.latency = 0.0
        """Seconds by which each piece of an answer is late."""
        self.connections = 0
        """How many were accepted so far."""
        self.cut = asyncio.Event()
        """Set once an answer was cut off."""
        self._upstream = upstream
        self._server: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._fatal: bytes | None = None
        self._links: set[_Link] = set()

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.refuse()
        await asyncio.gather(*(link.ended.wait() for link in self._links))

    async def accept(self) -> None:
        """Let connections in, again after ``refuse``."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Be a server that is down: open connections break, and new ones are refused."""
        if self._server is not None:
            self._server.close()
        self.reset()

    def reset(self) -> None:
        """Break every open connection, as a server does that crashes; new ones are served."""
        self._flowing.set()
        for link in self._links:
            link.reset()

    def swallow(self) -> None:
        """Be a black hole: connections stay open and open anew, and nothing comes through."""
        self._flowing.clear()

    def release(self) -> None:
        """Let through what was swallowed, and everything after it."""
        self._flowing.set()

    def cut_answer_to(self, request: bytes) -> None:
        """Pass on the next request with these bytes in it, but break the connection instead of
        passing on what the server answers.
        """
        self.cut.clear()
        self._fatal = request

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        link = _Link(writer)
        self._links.add(link)
        with suppress(OSError):
            await self._flowing.wait()
            answers, link.upstream = await asyncio.open_connection("127.0.0.1", self._upstream)
            await asyncio.gather(
                self._pass_requests(reader, link), self._pass_answers(answers, link)
            )
        link.reset()
        link.ended.set()
        self._links.discard(link)

    async def _pass_requests(self, reader: asyncio.StreamReader, link: _Link) -> None:
        assert link.upstream is not None
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._flowing.wait()
                if self._fatal is not None and self._fatal in piece:
                    self._fatal, link.doomed = None, True
                link.upstream.write(piece)
                await link.upstream.drain()
        link.upstream.close()

    async def _pass_answers(self, answers: asyncio.StreamReader, link: _Link) -> None:
        with suppress(OSError):
            while piece := await answers.read(_PIECE):
                await self._flowing.wait()
                if link.doomed:
                    self.cut.set()
                    return link.reset()
                await asyncio.sleep(self.latency)
                link.client.write(piece)
                await link.client.drain()
        link.client.close()
        return None


class _Link:
    """One client's connection and the one that was made for it."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.upstream: asyncio.StreamWriter | None = None
        self.doomed = False
        self.ended = asyncio.Event()

    def reset(self) -> None:
        for writer in (self.client, self.upstream):
            if writer is not None:
                _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket | None = writer.get_extra_info("socket")
    if peer is not None:
        with suppress(OSError):
            # A close that lingers for no time at all is an RST, not an orderly end.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
