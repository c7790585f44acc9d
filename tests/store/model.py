"""What the data layer is meant to do, in plain dictionaries: no SQL, no queue, no second process.

Method for method as Chainlit calls them, outside any chat. A time that the layer makes up itself is
"now": later than every time that the tests hand over, and later from call to call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from chainkeep.errors import ConflictError

Moment = tuple[int, Any]
"""(0, a time that was handed over) or (1, the number of the call that made one up)."""

MESSAGES = ("user_message", "assistant_message", "system_message")

STEP_DEFAULTS: Mapping[str, Any] = {
    "parentId": None, "type": "undefined", "name": "", "input": "", "output": "", "start": None,
    "end": None, "command": None, "modes": None, "language": None, "streaming": False,
    "waitForAnswer": None, "isError": False, "showInput": None, "defaultOpen": False,
    "autoCollapse": False, "metadata": {}, "tags": None, "generation": None,
}  # fmt: skip


@dataclass
class ThreadRow:
    created: Moment
    active: Moment
    name: str | None = None
    owner: str | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False


@dataclass
class StepRow:
    thread: str
    position: int
    values: dict[str, Any]
    updated: bool = False
    deleted: bool = False


@dataclass
class ElementRow:
    thread: str
    position: int
    values: dict[str, Any]
    deleted: bool = False


def shown(moment: Moment) -> Any:
    return "now" if moment[0] else moment[1]


class ModelLayer:
    """Two users, ``ada`` and ``bob``, are there from the start; their ids are their names."""

    def __init__(self) -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, ThreadRow] = {}
        self.steps: dict[str, StepRow] = {}
        self.elements: dict[str, ElementRow] = {}
        self.votes: dict[str, dict[str, Any]] = {}
        self._count = count()

    # Users

    def create_user(
        self, identifier: str, metadata: dict[str, Any], display_name: str | None = None
    ) -> None:
        before = self.users.get(identifier, {"display_name": None})
        self.users[identifier] = {
            "metadata": metadata,
            "display_name": display_name or before["display_name"],
        }

    def get_user(self, identifier: str) -> dict[str, Any] | None:
        user = self.users.get(identifier)
        return user and {"id": identifier, "identifier": identifier, "createdAt": "now", **user}

    # Threads

    def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        thread = self._thread(thread_id, now := (1, next(self._count)), now)
        if thread.deleted:
            return
        thread.owner = thread.owner or user_id
        if name is not None and (thread.name is None or user_id is None):
            thread.name = name
        thread.tags = thread.tags if tags is None else tags
        merged = {**thread.metadata, **(metadata or {})}
        if (metadata or {}).get("is_shared") is False:
            merged["shared_at"] = None
        thread.metadata = {key: value for key, value in merged.items() if value is not None}

    def _thread(self, thread_id: str, created: Moment, active: Moment | None) -> ThreadRow:
        return self.threads.setdefault(thread_id, ThreadRow(created, active or created))

    def delete_thread(self, thread_id: str) -> None:
        thread = self.threads.get(thread_id)
        if thread is not None:
            thread.deleted = True
        gone = [step_id for step_id, step in self.steps.items() if step.thread == thread_id]
        for step_id in gone:
            del self.steps[step_id]
            self.votes.pop(step_id, None)
        self.elements = {k: e for k, e in self.elements.items() if e.thread != thread_id}

    def get_thread_author(self, thread_id: str) -> str:
        thread = self.threads.get(thread_id)
        return "" if thread is None or thread.deleted else thread.owner or ""

    def get_thread(self, thread_id: str) -> dict[str, Any] | None:
        thread = self.threads.get(thread_id)
        if thread is None or thread.deleted:
            return None
        return {
            **self._head(thread_id, thread),
            "createdAt": shown(thread.created),
            "steps": list(self._placed(thread_id)),
            "elements": [
                each
                for _, element_id in sorted((e.position, k) for k, e in self.elements.items())
                if (each := self.get_element(thread_id, element_id)) is not None
            ],
        }

    def _head(self, thread_id: str, thread: ThreadRow) -> dict[str, Any]:
        return {
            "id": thread_id,
            "name": thread.name,
            "userId": thread.owner,
            "userIdentifier": thread.owner,
            "tags": thread.tags,
            "metadata": thread.metadata,
        }

    def list_threads(
        self, user_id: str, search: str | None = None, feedback: int | None = None
    ) -> list[dict[str, Any]]:
        """All of them; a page is a part of this."""
        found = [
            (thread.active, thread_id, thread)
            for thread_id, thread in self.threads.items()
            if thread.owner == user_id
            and not thread.deleted
            and (search is None or self._mentions(thread_id, thread, search.lower()))
            and (feedback is None or self._voted(thread_id, feedback))
        ]
        return [
            {
                **self._head(thread_id, thread),
                "createdAt": shown(active),
                "steps": [],
                "elements": [],
            }
            for active, thread_id, thread in sorted(found, reverse=True, key=lambda each: each[:2])
        ]

    def _mentions(self, thread_id: str, thread: ThreadRow, words: str) -> bool:
        said = [
            step.values["output"]
            for step in self.steps.values()
            if step.thread == thread_id and not step.deleted and step.values["type"] in MESSAGES
        ]
        return any(words in text.lower() for text in [thread.name or "", *said])

    def _voted(self, thread_id: str, value: int) -> bool:
        return any(
            vote["value"] == value and self.steps[step_id].thread == thread_id
            for step_id, vote in self.votes.items()
        )

    # Steps

    def create_step(self, step_dict: dict[str, Any]) -> None:
        created = (0, step_dict["createdAt"])
        step = self._reached(step_dict, created, created)
        if step is None or step.deleted or step.updated:
            return
        step.values = {**STEP_DEFAULTS, **step_dict}

    def update_step(self, step_dict: dict[str, Any]) -> None:
        given = "createdAt" in step_dict
        step = self._reached(
            step_dict,
            (0, step_dict.get("createdAt")),
            (0, step_dict["createdAt"]) if given else None,
        )
        if step is None or step.deleted:
            return
        step.values = {**step.values, **step_dict}
        step.updated = True

    def _reached(
        self, step_dict: dict[str, Any], created: Moment, active: Moment | None
    ) -> StepRow | None:
        """The step that is written to, made where it is missing; None where its thread is gone."""
        step_id, thread_id = step_dict["id"], step_dict["threadId"]
        step = self.steps.get(step_id)
        if step is not None and step.thread != thread_id:
            raise ConflictError
        thread = self._thread(thread_id, created, active)
        if thread.deleted:
            return None
        thread.active = max(thread.active, active or thread.active)
        if step is None:
            step = StepRow(thread_id, next(self._count), {**STEP_DEFAULTS, **step_dict})
            self.steps[step_id] = step
        return step

    def delete_step(self, step_id: str) -> None:
        for gone in self._below(step_id, set()):
            self.steps[gone].deleted = True
            self.votes.pop(gone, None)
            for element in self.elements.values():
                if element.values["forId"] == gone:
                    element.deleted = True

    def _below(self, step_id: str, met: set[str]) -> set[str]:
        """A step with all below it, in the same thread; none where there is no such step."""
        if step_id in met or step_id not in self.steps:
            return met
        met.add(step_id)
        for child_id, child in self.steps.items():
            if child.values["parentId"] == step_id and child.thread == self.steps[step_id].thread:
                self._below(child_id, met)
        return met

    def set_step_favorite(self, step_id: str, favorite: bool) -> None:
        step = self.steps[step_id]
        step.values = {**step.values, "metadata": {**step.values["metadata"], "favorite": favorite}}
        step.updated = True

    def get_favorite_steps(self, user_id: str) -> list[dict[str, Any]]:
        starred = [
            (step.values["createdAt"], step_id)
            for step_id, step in self.steps.items()
            if self.threads[step.thread].owner == user_id
            and not step.deleted
            and step.values["metadata"].get("favorite") is True
        ]
        return [self._step(step_id) for _, step_id in sorted(starred, reverse=True)]

    def is_live(self, step_id: str) -> bool:
        return step_id in self.steps and not self.steps[step_id].deleted

    def _step(self, step_id: str) -> dict[str, Any]:
        return {**self.steps[step_id].values, "feedback": self.votes.get(step_id)}

    def _placed(self, thread_id: str) -> Iterator[dict[str, Any]]:
        """The steps that are seen: by time, and each after its parent."""
        mine = {key: step for key, step in self.steps.items() if step.thread == thread_id}
        hidden: dict[str, bool] = {}

        def place(step_id: str, below: frozenset[str]) -> Iterator[dict[str, Any]]:
            parent = mine[step_id].values["parentId"]
            if parent in mine and parent not in hidden and parent not in below:
                yield from place(parent, below | {parent})
            parent = parent if parent in hidden else None
            hidden[step_id] = mine[step_id].deleted or hidden.get(parent or "", False)
            if not hidden[step_id]:
                yield {**self._step(step_id), "parentId": parent}

        for step_id in sorted(mine, key=lambda k: (mine[k].values["createdAt"], mine[k].position)):
            if step_id not in hidden:
                yield from place(step_id, frozenset({step_id}))

    # Feedback

    def upsert_feedback(self, step_id: str, vote_id: str, value: int, comment: str | None) -> str:
        if any(v["id"] == vote_id and k != step_id for k, v in self.votes.items()):
            raise ConflictError
        kept = self.votes.get(step_id, {"id": vote_id})["id"]
        self.votes[step_id] = {"id": kept, "forId": step_id, "value": value, "comment": comment}
        return str(kept)

    def delete_feedback(self, feedback_id: str) -> bool:
        for step_id, vote in self.votes.items():
            if vote["id"] == feedback_id:
                del self.votes[step_id]
                return True
        return False

    # Elements

    def create_element(self, values: dict[str, Any]) -> None:
        element_id, thread_id = values["id"], values["threadId"]
        thread = self.threads.get(thread_id)
        element = self.elements.get(element_id)
        if element is None:
            if thread is None or not thread.deleted:
                row = ElementRow(thread_id, next(self._count), values)
                self.elements[element_id] = row
            return
        if element.thread != thread_id:
            if not element.deleted:
                raise ConflictError
            return
        # What is made to be changed is sent again under the same id; anything else stays deleted.
        if not element.deleted or values["type"] == "custom":
            element.values, element.deleted = values, False

    def delete_element(self, element_id: str, thread_id: str) -> None:
        element = self.elements.get(element_id)
        if element is None:
            row = ElementRow(thread_id, next(self._count), {"forId": None}, deleted=True)
            self.elements[element_id] = row
        elif element.thread == thread_id:
            element.deleted = True

    def get_element(self, thread_id: str, element_id: str) -> dict[str, Any] | None:
        element = self.elements.get(element_id)
        if element is None or element.deleted or element.thread != thread_id:
            return None
        return element.values
