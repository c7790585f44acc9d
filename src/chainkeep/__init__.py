"""chainkeep keeps what a Chainlit app says.

In the app:

    from chainkeep import ChainkeepDataLayer

    @cl.data_layer
    def data_layer():
        return ChainkeepDataLayer()

In the app's own code:

    from chainkeep import open_threads

    async with open_threads("sqlite+aiosqlite:///chat.db") as threads:
        thread = await threads.create("A chat", owner="ada")
        await thread.add_message("user", "Hello")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainkeep._version import __version__

if TYPE_CHECKING:
    from chainkeep.chainlit import ChainkeepDataLayer
    from chainkeep.threads import open_threads

__all__ = ["ChainkeepDataLayer", "__version__", "open_threads"]


def __getattr__(name: str) -> Any:
    # Importing Chainlit takes seconds, and whoever runs the command line never needs it.
    if name == "ChainkeepDataLayer":
        from chainkeep.chainlit import ChainkeepDataLayer

        return ChainkeepDataLayer
    if name == "open_threads":
        from chainkeep.threads import open_threads

        return open_threads
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
