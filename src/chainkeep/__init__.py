"""chainkeep keeps what a Chainlit app says.

In the app:

    from chainkeep import ChainkeepDataLayer

    @cl.data_layer
    def data_layer():
        return ChainkeepDataLayer()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainkeep._version import __version__

if TYPE_CHECKING:
    from chainkeep.chainlit import ChainkeepDataLayer

__all__ = ["ChainkeepDataLayer", "__version__"]


def __getattr__(name: str) -> Any:
    # Importing Chainlit takes seconds, and whoever runs the command line never needs it.
    if name == "ChainkeepDataLayer":
        from chainkeep.chainlit import ChainkeepDataLayer

        return ChainkeepDataLayer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
