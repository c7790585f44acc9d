"""Ways in which a server can be badly reachable, all on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress


@contextmanager
def silent_server() -> Iterator[str]:
    """The URL of a server that accepts connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


class Proxy:
    """Stands before a server, and cuts connections on demand."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._connections: set[asyncio.StreamWriter] = set()
        self.url = ""
        self.cut_after: int | None = None
        """Bytes sent after which a connection is cut; None lets all through."""
        self.cuts = 0
        self.open = asyncio.Event()
        """Cleared, what arrives is held back until it is set again."""
        self.open.set()
        self.arrived = asyncio.Event()
        """Set once a client sent anything."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            answers, requests = await asyncio.open_connection("127.0.0.1", self._upstream)
            self._connections |= {writer, requests}
            down = asyncio.create_task(self._down(answers, writer))
            if await self._is_cut(reader, requests):
                self.cuts += 1
                writer.transport.abort()
                requests.transport.abort()
            requests.close()
            await down

    async def _is_cut(self, reader: asyncio.StreamReader, requests: asyncio.StreamWriter) -> bool:
        sent = 0
        with suppress(OSError):
            while data := await reader.read(65536):
                self.arrived.set()
                await self.open.wait()
                sent += len(data)
                if self.cut_after is not None and sent > self.cut_after:
                    return True
                requests.write(data)
                await requests.drain()
        return False

    @staticmethod
    async def _down(answers: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await answers.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        """Break every connection there is."""
        for writer in self._connections:
            writer.transport.abort()
        self._connections.clear()


@asynccontextmanager
async def proxy_before(port: int) -> AsyncIterator[Proxy]:
    """A proxy before the server on that loopback port."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.open.set()
        proxy.cut()
