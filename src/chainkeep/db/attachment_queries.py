"""The statements of attachments: one typed function each, of the same name, over a ``Connection``.

What a statement promises stands in its ``.sql`` file.
"""
# ruff: noqa: D103 - a query is described with the statement of its name, in db/sql

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from chainkeep.db.execution import each, execute, many, one
from chainkeep.models import Element
from chainkeep.values import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRow:
    """The binds of ``attachment_insert``."""

    id: str
    thread_id: str
    for_id: str
    type: str
    name: str
    url: str | None
    object_key: str | None
    mime: str
    created_at: str
    position: int
    attributes: str
    status: str


def attachment_insert(connection: Connection, *, attachments: Sequence[AttachmentRow]) -> int:
    return each(connection, "attachment_insert", [asdict(row) for row in attachments])


def attachment_describe(
    connection: Connection, *, id: str, status: str, attributes: Mapping[str, Any]
) -> int:
    return execute(
        connection, "attachment_describe", id=id, status=status, attributes=to_json(attributes)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentCopy:
    """The binds of ``attachment_copy``."""

    id: str
    new_id: str
    thread_id: str
    for_id: str | None
    object_key: str | None


def attachment_copy(connection: Connection, *, copies: Sequence[AttachmentCopy]) -> int:
    return each(connection, "attachment_copy", [asdict(copy) for copy in copies])


def element_shown(connection: Connection, *, id: str, thread_id: str | None) -> Element | None:
    row = one(connection, "element_shown", id=id, thread_id=thread_id)
    return None if row is None else Element.from_row(row)


class Picture(NamedTuple):
    """An element, and where its bytes are."""

    id: str
    object_key: str | None


def pictures_of_users(connection: Connection, *, thread_id: str) -> list[Picture]:
    return [Picture(**row) for row in many(connection, "pictures_of_users", thread_id=thread_id)]


class BlobRow(NamedTuple):
    """An element that has bytes in the blob store."""

    object_key: str
    id: str
    thread_id: str | None


def blob_rows(connection: Connection, *, after: str, count: int) -> list[BlobRow]:
    return [BlobRow(**row) for row in many(connection, "blob_rows", after=after, count=count)]
