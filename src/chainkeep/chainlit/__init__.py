"""chainkeep as the data layer of a Chainlit app. Importing this package imports Chainlit."""

from __future__ import annotations

from chainkeep.chainlit.data_layer import ChainkeepDataLayer
from chainkeep.chainlit.memory import fill_chat_context
from chainkeep.chainlit.route import install_element_route
from chainkeep.chainlit.storage import S3StorageClient

__all__ = ["ChainkeepDataLayer", "S3StorageClient", "fill_chat_context"]

# Now, not when the layer is made: after a restart the first request may be for an element.
install_element_route()
