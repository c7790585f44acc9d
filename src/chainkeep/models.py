"""What the database holds, as plain frozen values: one class per table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, NamedTuple

from typing_extensions import override

from chainkeep.values import from_json, json_object

__all__ = [
    "STEP_COLUMNS",
    "Caller",
    "Element",
    "Feedback",
    "Health",
    "Step",
    "StepValues",
    "StoredMessage",
    "StoredThread",
    "Thread",
    "ThreadContent",
    "ThreadValues",
    "User",
]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who logs in."""

    id: str
    identifier: str
    """What the user logs in with; unique."""
    display_name: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    created_at: str

    @classmethod
    def from_row(cls, row: Row) -> User:
        """Read a row of ``users``."""
        return cls(
            id=row["id"],
            identifier=row["identifier"],
            display_name=row["display_name"],
            metadata=json_object(row["metadata"]),
            created_at=row["created_at"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A conversation, without what was said in it."""

    id: str
    created_at: str
    name: str | None = None
    user_id: str | None = None
    user_identifier: str | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    last_activity_at: str
    """``created_at`` of the newest step; lists are sorted by it, newest first."""

    @classmethod
    def from_row(cls, row: Row) -> Thread:
        """Read a row of ``threads``."""
        return cls(
            id=row["id"],
            created_at=row["created_at"],
            name=row["name"],
            user_id=row["user_id"],
            user_identifier=row["user_identifier"],
            tags=from_json(row["tags"]),
            metadata=json_object(row["metadata"]),
            last_activity_at=row["last_activity_at"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody thought of a step."""

    id: str
    for_id: str
    thread_id: str | None = None
    value: int
    """0 or 1."""
    comment: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Feedback:
        """Read a row of ``feedbacks``."""
        return cls(
            id=row["feedback_id"],
            for_id=row["feedback_for_id"],
            thread_id=row["feedback_thread_id"],
            value=row["feedback_value"],
            comment=row["feedback_comment"],
        )


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happened in a thread: a message, a run, a tool call, a model call."""

    id: str
    thread_id: str
    parent_id: str | None = None
    type: str = "undefined"
    name: str = ""
    input: str = ""
    output: str = ""
    created_at: str
    start: str | None = None
    end: str | None = None
    command: str | None = None
    modes: Any = None
    language: str | None = None
    streaming: bool = False
    wait_for_answer: bool | None = None
    is_error: bool | None = None
    show_input: bool | str | None = None
    default_open: bool | None = None
    auto_collapse: bool | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] | None = None
    generation: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Keys that have no column here."""
    feedback: Feedback | None = None
    """Read only: written by ``Store.save_feedback``."""
    deleted_at: str | None = None
    """Read only."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Step:
        """``Step(**given)``, in a quarter of the time: a frozen dataclass sets each field by a call
        of its own.
        """
        step = object.__new__(cls)
        values = vars(step)
        values.update(_STEP_DEFAULTS)
        values["metadata"], values["extra"] = {}, {}
        values.update(given)
        return step


_STEP_DEFAULTS = {each.name: each.default for each in fields(Step) if each.default is not MISSING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What a step shows besides its text."""

    id: str
    thread_id: str | None = None
    for_id: str | None = None
    type: str = "file"
    name: str = ""
    display: str = "inline"
    url: str | None = None
    """An external address, kept as a link."""
    object_key: str | None = None
    """Names the bytes in the blob store."""
    chainlit_key: str | None = None
    mime: str | None = None
    size: str | None = None
    language: str | None = None
    page: int | None = None
    props: Any = None
    auto_play: bool | None = None
    player_config: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
    """Keys that have no column here."""
    attributes: dict[str, Any] = field(default_factory=dict)
    status: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Element:
        """Read a row of ``elements``."""
        return cls(
            id=row["id"],
            thread_id=row["thread_id"],
            for_id=row["for_id"],
            type=row["type"],
            name=row["name"],
            display=row["display"],
            url=row["url"],
            object_key=row["object_key"],
            chainlit_key=row["chainlit_key"],
            mime=row["mime"],
            size=row["size"],
            language=row["language"],
            page=row["page"],
            props=from_json(row["props"]),
            auto_play=_flag(row["auto_play"]),
            player_config=from_json(row["player_config"]),
            extra=json_object(row["extra"]),
            attributes=json_object(row["attributes"]),
            status=row["status"],
        )


class Caller(NamedTuple):
    """On whose behalf a write is made: whoever talks, and in which thread."""

    thread_id: str | None
    """The thread that the caller is in; what belongs there may be written."""
    identifier: str | None
    """None for somebody who did not log in."""
    user_id: str | None = None


class ThreadContent(NamedTuple):
    """A thread with what was said in it, read in one snapshot."""

    thread: Thread
    steps: list[Step]
    """By time, then by the order in which they were handed over; deleted ones too, emptied."""
    elements: list[Element]
    """In the order in which they were handed over."""


# fmt: off
STEP_COLUMNS = (
    "id", "thread_id", "parent_id", "type", "name", "input", "output", "created_at", "start", "end",
    "command", "modes", "language", "streaming", "wait_for_answer", "is_error", "show_input",
    "default_open", "auto_collapse", "metadata", "tags", "generation", "extra", "deleted_at",
    "feedback_id", "feedback_value", "feedback_comment",
)
# fmt: on
"""What is read of a step, its vote last."""

StepValues = Sequence[Any]
"""A row that begins with ``STEP_COLUMNS``, as the database holds them: JSON is text, and a flag may
be a number. What steps are read as where there are thousands.
"""


class ThreadValues(NamedTuple):
    """A ``ThreadContent`` that costs less to make."""

    thread: Thread
    steps: list[StepValues]
    elements: list[Element]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the ways into the database and the blob store are doing."""

    queued_writes: int
    """Not committed yet."""
    waiting_writes: int
    """Of them, how many found the queue full and wait for room."""
    oldest_queued_seconds: float
    retries: int
    """How many times a transient fault made a batch of writes run again, since the start."""
    failed_writes: int
    """Neither committed nor kept, since the start, because of a fault: the database refused them,
    or the journal had no room. Each raised its error and was logged.
    """
    journal_writes: int
    """Kept on disk because the database does not take them."""
    journal_bytes: int
    waiting_blobs: int
    """Kept on disk because the bucket does not take them."""
    waiting_blob_bytes: int
    last_error: str | None
    """The last fault of a write, transient or not; never content."""
    unindexed: int
    """Titles and messages that the search index has not seen, when they were last counted; a search
    finds them all the same.
    """
    indexed: bool | None
    """Whether a trigram index carries the search; without one it takes longer. None before this
    process asked.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredThread(Thread):
    """A thread with what the Thread API keeps of it."""

    attributes: dict[str, Any]
    platforms: dict[str, dict[str, str]]
    public: bool
    updated_at: str
    last_message_id: str | None
    deleted_at: str | None
    org_id: str | None
    product: str | None

    @classmethod
    @override
    def from_row(cls, row: Row) -> StoredThread:
        """Read a row of ``threads``, all of it."""
        metadata, public = json_object(row["metadata"]), row["public"]
        return cls(
            id=row["id"],
            created_at=row["created_at"],
            name=row["name"],
            user_id=row["user_id"],
            user_identifier=row["user_identifier"],
            tags=from_json(row["tags"]),
            metadata=metadata,
            last_activity_at=row["last_activity_at"],
            attributes=json_object(row["attributes"]),
            platforms=json_object(row["platforms"]),
            # Where no code ever said so, whoever shared it in the UI did.
            public=metadata.get("is_shared") is True if public is None else bool(public),
            updated_at=max(row["updated_at"] or "", row["last_activity_at"]),
            last_message_id=row["last_message_id"],
            deleted_at=row["deleted_at"],
            org_id=row["org_id"],
            product=row["product"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A step that somebody says, with its place among the others."""

    id: str
    thread_id: str
    role: str
    sequence: int
    turn: int
    name: str
    input: str
    output: str
    created_at: str
    language: str | None
    metadata: dict[str, Any]
    generation: Any
    private: bool
    reply_to: str | None
    tool_call_id: str | None
    ext: dict[str, Any] | None
    """What a message has besides text; None for one that code never wrote to."""
    from_ui: bool
    type: str
    position: int
    feedback: int | None
    feedback_comment: str | None

    @classmethod
    def from_row(cls, row: Row) -> StoredMessage:
        """Read a row of ``messages_of_thread``."""
        values = {name: row[name] for name in cls.__dataclass_fields__}
        read = {
            "sequence": int(row["sequence"]),
            "turn": int(row["turn"]),
            "private": bool(row["private"]),
            "from_ui": bool(row["from_ui"]),
            "metadata": json_object(row["metadata"]),
            "generation": from_json(row["generation"]),
            "ext": from_json(row["ext"]),
        }
        return cls(**{**values, **read})


def show_input_to_text(value: bool | str | None) -> str | None:
    """``showInput`` as its column holds it: true and false are bare words, and text that looks so
    is quoted.
    """
    if value is None or isinstance(value, bool):
        return {None: None, True: "true", False: "false"}[value]
    return json.dumps(value) if value in ("true", "false") or value.startswith('"') else value


def show_input_from_text(text: str | None) -> bool | str | None:
    """Undo ``show_input_to_text``."""
    if text is None or text in ("true", "false"):
        return None if text is None else text == "true"
    return str(json.loads(text)) if text.startswith('"') else text


def _flag(value: object) -> bool | None:
    # SQLite gives booleans back as 0 and 1.
    return None if value is None else bool(value)
