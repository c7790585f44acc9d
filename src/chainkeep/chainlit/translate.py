"""Chainlit's dicts and dataclasses to our models and back: pure functions, and every quirk of the
shapes.

What comes in is copied whole, because Chainlit goes on changing what it handed over; what goes out
is made of JSON's own types only and belongs to the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from chainlit.element import Element as ChainlitElement
from chainlit.element import ElementDict
from chainlit.step import StepDict
from chainlit.types import Feedback as ChainlitFeedback
from chainlit.types import FeedbackDict, ThreadDict
from chainlit.user import PersistedUser

from chainkeep.blobs import BlobSource
from chainkeep.models import (
    STEP_COLUMNS,
    Element,
    Feedback,
    Step,
    StepValues,
    Thread,
    User,
    show_input_from_text,
)
from chainkeep.values import cleaned_json, from_json, json_object, timestamp, to_json, utc_now

_MAX_PAGE = 2**31 - 1


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else to_json(value)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)


def _object(value: object) -> dict[str, Any]:
    """A JSON object, whether it came as one, as its text, or not at all."""
    if not value:
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return cast("dict[str, Any]", cleaned_json(value)) if isinstance(value, Mapping) else {}


def _tags(value: object) -> list[str] | None:
    if value is None:
        return None
    many = isinstance(value, (list, tuple, set, frozenset))
    return [_text(tag) for tag in cast("list[object]", value)] if many else [_text(value)]


def _show_input(value: object) -> bool | str | None:
    return value if value is None or isinstance(value, bool) else _text(value)


_STEP_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "parentId": ("parent_id", _text_or_none),
    "type": ("type", _text),
    "name": ("name", _text),
    "input": ("input", _text),
    "output": ("output", _text),
    "createdAt": ("created_at", timestamp),
    "start": ("start", timestamp),
    "end": ("end", timestamp),
    "command": ("command", _text_or_none),
    "modes": ("modes", cleaned_json),
    "language": ("language", _text_or_none),
    "streaming": ("streaming", bool),
    "waitForAnswer": ("wait_for_answer", _flag),
    "isError": ("is_error", _flag),
    "showInput": ("show_input", _show_input),
    "defaultOpen": ("default_open", _flag),
    "autoCollapse": ("auto_collapse", _flag),
    "metadata": ("metadata", _object),
    "tags": ("tags", _tags),
    "generation": ("generation", cleaned_json),
}
"""Each key of a StepDict that has a column: the field of ``Step``, and how its value is read."""

_OTHER_STEP_KEYS = frozenset(["id", "threadId", "feedback"])


def step_from_chainlit(step: StepDict, *, thread_id: str) -> tuple[Step, Collection[str]]:
    """The step, and the names of the fields that the dict gave.

    ``thread_id`` is the thread of a dict that names none. A type or a time that is missing, or
    cannot be read, counts as not given. Keys that have no column go to ``extra``.
    """
    given: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in step.items():
        if key in _STEP_FIELDS:
            field, read = _STEP_FIELDS[key]
            given[field] = read(value)
        elif key not in _OTHER_STEP_KEYS:
            extra[str(key)] = cleaned_json(value)
    if extra:
        given["extra"] = extra
    for field in ("type", "created_at"):
        if not given.get(field):
            given.pop(field, None)
    for field in ("start", "end"):
        if given.get(field) is None and step.get(field):
            given.pop(field, None)
    names = tuple(given)
    given["id"] = _text(step["id"])
    given["thread_id"] = _text(step.get("threadId")) or thread_id
    given["created_at"] = given.get("created_at") or given.get("start") or utc_now()
    return Step.of(given), names


_COLUMNS = slice(len(STEP_COLUMNS))
_ID, _PARENT, _DELETED = map(STEP_COLUMNS.index, ("id", "parent_id", "deleted_at"))


def step_to_chainlit(step: StepValues, *, parent_id: str | None) -> StepDict:
    """A StepDict with every key, and the extra ones; ``parent_id`` in place of the step's own."""
    # fmt: off
    (
        id_, thread_id, _parent_id, type_, name, input_, output, created_at, start, end, command,
        modes, language, streaming, wait_for_answer, is_error, show_input, default_open,
        auto_collapse, metadata, tags, generation, extra, _deleted_at, vote_id, vote, comment,
    ) = step[_COLUMNS]
    # fmt: on
    known: StepDict = {
        "id": id_,
        "threadId": thread_id,
        "parentId": parent_id,
        "type": type_,
        "name": name,
        "input": input_,
        "output": output,
        "createdAt": created_at,
        "start": start,
        "end": end,
        "command": command,
        "modes": None if modes is None else from_json(modes),
        "language": language,
        "streaming": bool(streaming),
        "waitForAnswer": None if wait_for_answer is None else bool(wait_for_answer),
        "isError": bool(is_error),
        "showInput": None if show_input is None else show_input_from_text(show_input),
        "defaultOpen": bool(default_open),
        "autoCollapse": bool(auto_collapse),
        "metadata": {} if metadata == "{}" else json_object(metadata),
        "tags": None if tags is None else from_json(tags),
        "generation": None if generation is None else from_json(generation),
        "feedback": None if vote_id is None else _vote(vote_id, id_, vote, comment),
    }
    return known if extra is None else cast("StepDict", {**json_object(extra), **known})


def _vote(id: str, for_id: str, value: Any, comment: str | None) -> FeedbackDict:
    """A FeedbackDict."""
    return {"id": id, "forId": for_id, "value": value, "comment": comment}


def step_as_it_is(step: StepValues) -> StepDict:
    """A StepDict with the step's own parent."""
    return step_to_chainlit(step, parent_id=step[_PARENT])


def feedback_from_chainlit(feedback: ChainlitFeedback, *, new_id: str) -> Feedback:
    """The vote; ``new_id`` where it has none. A comment that is left out is no comment."""
    return Feedback(
        id=feedback.id or new_id,
        for_id=feedback.forId,
        thread_id=feedback.threadId or None,
        value=int(feedback.value),
        comment=feedback.comment,
    )


_ELEMENT_KEYS = frozenset(
    [
        "id",
        "threadId",
        "forId",
        "type",
        "name",
        "display",
        "url",
        "objectKey",
        "chainlitKey",
        "mime",
        "size",
        "language",
        "page",
        "props",
        "autoPlay",
        "playerConfig",
    ]
)


def element_from_chainlit(element: ChainlitElement, *, thread_id: str | None) -> Element:
    """The element without its bytes; ``thread_id`` is the thread of one that names none.

    A task list's tasks are in ``props``: they are small, change often, and need no blob.
    """
    given: dict[str, Any] = dict(element.to_dict())
    page = given.get("page")
    fits = isinstance(page, int) and abs(page) <= _MAX_PAGE
    known = _ELEMENT_KEYS if fits or page is None else _ELEMENT_KEYS - {"page"}
    props = _tasks(element) if given.get("type") == "tasklist" else given.get("props")
    return Element(
        id=_text(given["id"]),
        thread_id=_text_or_none(given.get("threadId") or thread_id or None),
        for_id=_text_or_none(given.get("forId") or None),
        type=_text(given.get("type")) or "file",
        name=_text(given.get("name")),
        display=_text(given.get("display")) or "inline",
        url=_text_or_none(given.get("url")),
        chainlit_key=_text_or_none(given.get("chainlitKey")),
        mime=_text_or_none(given.get("mime")),
        size=_text_or_none(given.get("size")),
        language=_text_or_none(given.get("language")),
        page=page if fits else None,
        props=cleaned_json(props),
        auto_play=_flag(given.get("autoPlay")),
        player_config=cleaned_json(given.get("playerConfig")),
        extra={key: cleaned_json(value) for key, value in given.items() if key not in known},
    )


def _tasks(element: ChainlitElement) -> object:
    try:
        return json.loads(element.content or "null")
    except ValueError:
        # A list that was never sent: Chainlit writes the tasks down as it sends them.
        return None


def element_content(element: ChainlitElement) -> BlobSource | None:
    """The bytes to keep, or the file that holds them; None where the row says all, or the bytes are
    elsewhere.
    """
    if element.type in ("tasklist", "custom"):
        return None
    if element.content is not None:
        content = element.content
        return content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)
    return Path(element.path) if element.path else None


def element_to_chainlit(element: Element, url: str | None) -> ElementDict:
    """An ElementDict with every key, and the extra ones; ``url`` is where its bytes can be read."""
    known = {
        "id": element.id,
        "threadId": element.thread_id,
        "forId": element.for_id,
        "type": element.type,
        "name": element.name,
        "display": element.display,
        "url": url,
        "objectKey": element.object_key,
        "chainlitKey": element.chainlit_key,
        "mime": element.mime,
        "size": element.size,
        "language": element.language,
        "page": element.page,
        "props": _props(element),
        "autoPlay": element.auto_play,
        "playerConfig": element.player_config,
    }
    return cast("ElementDict", {**known, **element.extra})


def _props(element: Element) -> Any:
    if element.type == "tasklist":
        return None
    # The page takes a custom element's props for an object without looking.
    return element.props or {} if element.type == "custom" else element.props


def thread_to_chainlit(
    thread: Thread, steps: list[StepDict], elements: list[ElementDict]
) -> ThreadDict:
    """A ThreadDict with what is in it."""
    entry = thread_to_list_entry(thread)
    entry["createdAt"] = thread.created_at
    entry["steps"] = steps
    entry["elements"] = elements
    return entry


def thread_to_list_entry(thread: Thread) -> ThreadDict:
    """A ThreadDict for a list: nothing in it, and created when it was last active.

    The page sorts its list by that time again.
    """
    return {
        "id": thread.id,
        "createdAt": thread.last_activity_at,
        "name": thread.name,
        "userId": thread.user_id,
        "userIdentifier": thread.user_identifier,
        "tags": thread.tags,
        "metadata": thread.metadata,
        "steps": [],
        "elements": [],
    }


def steps_to_chainlit(steps: Sequence[StepValues]) -> Iterator[StepDict]:
    """The steps that are to be seen, each parent before its children, else in the order given.

    The page drops a step whose parent it has not met. So a step whose parent was never written
    stands on its own, while one whose parent was deleted is gone with it.
    """
    by_id = {step[_ID]: step for step in steps}
    hidden: dict[str, bool] = {}
    for step in steps:
        if step[_ID] not in hidden and (step[_PARENT] is None or step[_PARENT] in hidden):
            links = [step]  # as nearly all are: parents come first
        else:
            links = _unplaced_ancestry(step, by_id, hidden)
        for link in reversed(links):
            parent = link[_PARENT]
            above = parent if parent in hidden else None
            hidden[link[_ID]] = unseen = link[_DELETED] is not None or (
                above is not None and hidden[above]
            )
            if not unseen:
                yield step_to_chainlit(link, parent_id=above)


def _unplaced_ancestry(
    step: StepValues, by_id: Mapping[str, StepValues], placed: Mapping[str, bool]
) -> list[StepValues]:
    """The step, its parent, and so on up to one that is placed, missing, or met already."""
    chain: dict[str, StepValues] = {}
    link: StepValues | None = step
    while link is not None and link[_ID] not in placed and link[_ID] not in chain:
        chain[link[_ID]] = link
        link = by_id.get(link[_PARENT])
    return list(chain.values())


def user_to_chainlit(user: User) -> PersistedUser:
    """A PersistedUser."""
    return PersistedUser(
        id=user.id,
        identifier=user.identifier,
        display_name=user.display_name,
        metadata=user.metadata,
        createdAt=user.created_at,
    )


def metadata_from_chainlit(
    metadata: Mapping[str, Any] | None, *, from_session: bool
) -> dict[str, Any] | None:
    """Thread metadata to merge.

    A session's metadata is written at every disconnect, with the sharing as it was when the session
    began; so only a call from outside a session may share or un-share. Un-sharing forgets since
    when the thread was shared.
    """
    if metadata is None:
        return None
    merged = _object(metadata)
    if from_session:
        return {
            key: value for key, value in merged.items() if key not in ("is_shared", "shared_at")
        }
    if merged.get("is_shared") is False:
        merged["shared_at"] = None
    return merged
