"""The exceptions that chainkeep raises.

ChainkeepError
 +- NotFoundError
 +- ConflictError
 +- InvalidInputError
 |   +- AttachmentTooLargeError
 |   +- AttachmentTypeError
 +- StorageError
 |   +- TransientStorageError
 |   +- JournalFullError
 +- BlobError
 |   +- TransientBlobError
 |   +- BlobNotFoundError
 |   +- UnreadableBlobsError
 +- MigrationError
 |   +- PendingMigrationsError
 |   +- NewerSchemaError
 |   +- AdoptionRequiredError
 +- UnsupportedDatabaseError

The first line of a class's docstring is the message of an error raised without one.
"""

from __future__ import annotations

import inspect


class ChainkeepError(Exception):
    """Something went wrong in chainkeep."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.getdoc(type(self)).partition("\n")[0])  # type: ignore[union-attr]


class NotFoundError(ChainkeepError):
    """What was asked for does not exist."""


class ConflictError(ChainkeepError):
    """The row belongs to somebody or something else and was left as it is."""


class InvalidInputError(ChainkeepError):
    """An argument is not valid."""


class AttachmentTooLargeError(InvalidInputError):
    """The attachment is larger than AttachmentLimits.max_bytes; raise that, or send a link."""


class AttachmentTypeError(InvalidInputError):
    """The attachment's type is none of AttachmentLimits.types."""


class StorageError(ChainkeepError):
    """The database refused a statement."""


class TransientStorageError(StorageError):
    """The database could not be reached or was busy; the same call may succeed later."""


class JournalFullError(StorageError):
    """The journal is full; bring the database back, or make room and raise its limit."""


class BlobError(ChainkeepError):
    """The blob store refused an operation."""


class TransientBlobError(BlobError):
    """The blob store could not be reached or was busy; the same call may succeed later."""


class BlobNotFoundError(BlobError):
    """The blob store has no blob under that key."""


class UnreadableBlobsError(BlobError):
    """The blob store can be read by a browser only, at the address that it signs."""


class MigrationError(ChainkeepError):
    """The database could not be migrated."""


class PendingMigrationsError(MigrationError):
    """The database is behind this version of chainkeep; run: chainkeep migrate"""


class NewerSchemaError(MigrationError):
    """The database was made by a newer version of chainkeep; upgrade the package."""


class AdoptionRequiredError(MigrationError):
    """The database holds another data layer's tables; look with: chainkeep adopt --dry-run"""


class UnsupportedDatabaseError(ChainkeepError):
    """Only sqlite+aiosqlite:// and postgresql+asyncpg:// URLs are supported."""
