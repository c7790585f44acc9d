"""Blob stores as Chainlit's storage clients, and Chainlit's storage clients as blob stores."""

from __future__ import annotations

from chainlit.data.storage_clients.base import BaseStorageClient

from chainkeep.blobs import Blobs
from chainkeep.blobs.adapter import StorageClientBlobs
from chainkeep.blobs.outbox import Outbox
from chainkeep.blobs.s3 import S3Blobs
from chainkeep.settings import Settings

__all__ = ["S3StorageClient", "blobs_of"]


class S3StorageClient(S3Blobs, BaseStorageClient):
    """For data layers that take a ``BaseStorageClient``; made with the options of ``S3Blobs``."""


def blobs_of(client: BaseStorageClient | Blobs | None, settings: Settings) -> Blobs | None:
    """A blob store from what was given as one; None for none.

    What is beyond a network comes with an ``Outbox``: a bucket that is away loses nothing.
    """
    if isinstance(client, S3Blobs):
        return Outbox(client, settings.spool)
    if isinstance(client, BaseStorageClient):
        return Outbox(StorageClientBlobs(client), settings.spool)
    return client
