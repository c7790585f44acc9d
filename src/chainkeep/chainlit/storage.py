"""``S3Blobs`` where Chainlit wants a storage client of its own kind."""

from __future__ import annotations

from chainlit.data.storage_clients.base import BaseStorageClient

from chainkeep.blobs.s3 import S3Blobs

__all__ = ["S3StorageClient"]


class S3StorageClient(S3Blobs, BaseStorageClient):
    """For data layers that take a ``BaseStorageClient``; made with the options of ``S3Blobs``."""
