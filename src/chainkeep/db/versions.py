"""What a thread says, in one hash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from chainkeep.db import thread_queries
from chainkeep.db.message_reads import messages_with_elements
from chainkeep.models import Element, StoredMessage
from chainkeep.paging import NO_LIMIT
from chainkeep.scope import EVERYTHING


def content_version(connection: Connection, *, thread_id: str) -> str | None:
    """64 hexadecimal digits that are the same for the same name, owner, roles and messages in the
    same order, whatever their ids and times; None where there is no such thread.
    """
    thread = thread_queries.thread_read(connection, id=thread_id, include_deleted=False)
    if thread is None:
        return None
    messages, elements = messages_with_elements(
        connection,
        thread_id=thread_id,
        id=None,
        include_private=True,
        roles=None,
        scope=EVERYTHING,
        count=NO_LIMIT,
    )
    places = {message.id: message.sequence for message in messages}
    content = {
        "name": thread.name,
        "owner": thread.user_identifier,
        "public": thread.public,
        "tags": thread.tags or [],
        "attributes": thread.attributes,
        "platforms": thread.platforms,
        "roles": thread_queries.roles_of_thread(connection, thread_id=thread_id),
        "messages": [_said(each, places, elements.get(each.id, ())) for each in messages],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _said(
    message: StoredMessage, places: Mapping[str, int], elements: Sequence[Element]
) -> dict[str, Any]:
    ext = message.ext or {"name": message.name}
    return {
        "role": message.role,
        "text": message.output,
        "input": message.input,
        "language": message.language,
        "private": message.private,
        "turn": message.turn,
        "reply_to": places.get(message.reply_to or ""),
        # What stands for the call itself where the UI wrote it is an id like the others.
        "tool_call_id": None if message.from_ui else message.tool_call_id,
        "ext": {key: value for key, value in ext.items() if key != "createdAt"},
        "attachments": [[each.name, each.type, each.mime, each.url] for each in elements],
    }
