"""Messages on their way into a thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from chainkeep.db import message_units, thread_units
from chainkeep.errors import ConflictError
from chainkeep.threads.access import Access
from chainkeep.threads.drafts import Draft, text_of
from chainkeep.threads.message import Message, moment_of
from chainkeep.threads.parcels import Parcel, deliver, pack
from chainkeep.values import cleaned_json, from_json, next_position, utc_now

__all__ = ["post"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A draft with all that goes with it."""

    draft: Draft
    parcels: list[Parcel]
    """What is attached."""
    row: dict[str, Any]


async def post(
    access: Access,
    thread_id: str,
    drafts: Sequence[Draft],
    *,
    same_turn: bool = False,
    opening: Mapping[str, Any] | None = None,
) -> list[Message]:
    """Post messages as one turn, all or none, with their attachments' rows in the same transaction;
    done when the blob store has the bytes too.

    With ``opening``, the values of a new thread, that is made first, in the same transaction too.
    """
    letters = [await _letter(access, thread_id, draft, same_turn) for draft in drafts]
    kept = [each for each in letters if access.persist_system or each.draft.role != "system"]
    rows = [letter.row for letter in kept]
    _check_ids([row["id"] for row in rows])
    # One for each row, and in a row: nobody else comes in between.
    places = sum(map(message_units.places_of, rows))
    positions = [next_position() for _ in range(max(places, 1))]
    written = access.submit(
        thread_id,
        message_units.post_messages if opening is None else message_units.open_thread,
        promise=[thread_units.moment(positions[0])] * len(rows),
        position=positions[0],
        messages=rows,
        **({} if opening is None else {"thread": opening}),
    )
    parcels = list(chain.from_iterable(letter.parcels for letter in kept))
    stored = deliver(access, thread_id, parcels, written)
    times, *_ = await asyncio.shield(asyncio.gather(written, *stored))
    at = {row["id"]: time for row, time in zip(rows, times, strict=True)}
    now = utc_now()
    return [_posted(access, thread_id, each, at.get(each.row["id"], now)) for each in letters]


def _check_ids(ids: Sequence[str]) -> None:
    for message_id, times in Counter(ids).items():
        if times > 1:
            raise ConflictError(f"The message id {message_id} is given twice; choose another.")


async def _letter(access: Access, thread_id: str, draft: Draft, same_turn: bool) -> Letter:
    parcels = await pack(access, thread_id, draft.attached())
    row = draft.binds(strict=access.strict_roles, ui_runs=access.ui_runs, same_turn=same_turn)
    row["attachments"] = [parcel.row for parcel in parcels]
    return Letter(draft=draft, parcels=parcels, row=row)


def _posted(access: Access, thread_id: str, letter: Letter, time: str) -> Message:
    draft, message_id = letter.draft, letter.row["id"]
    return Message(
        id=message_id,
        thread_id=thread_id,
        role=draft.role,
        content=draft.content,
        name=draft.name,
        private=draft.private,
        reply_to=draft.reply_to,
        tool_calls=[dict(call) for call in draft.tool_calls or ()],
        tool_call_id=draft.tool_call_id,
        attributes=_own(draft.attributes) or {},
        display_text=draft.display_text or text_of(draft.content),
        is_json=draft.is_json,
        question_config=_own(draft.question_config),
        prompt_details=_own(draft.prompt_details) or {},
        source=_own(draft.source),
        platforms=_own(draft.platforms) or {},
        reasoning=draft.reasoning,
        metrics=_own(draft.metrics),
        generation=from_json(letter.row["generation"]),
        created_at=moment_of(draft.time() or time),
        attachments=[
            parcel.arrived(access, thread_id, message_id)
            for parcel in letter.parcels
            if not parcel.attachment.in_content
        ],
        _access=access,
    )


def _own(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if given is None else cleaned_json(given)
