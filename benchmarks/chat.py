"""What Chainlit hands to a data layer in one turn of a chat, in its own shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast
from uuid import uuid4

from chainlit.step import StepDict

__all__ = ["ANSWER", "Turn"]

ANSWER = "That is what a data layer takes down once the answer has been said to its end. " * 6
"""What the assistant said, once it is said."""


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(slots=True)
class Turn:
    """A question, the run that answers it, and the answer; the dicts are new at each call."""

    thread_id: str
    label: str
    """The name of all three steps, by which they are found again."""
    run_id: str = field(default_factory=lambda: str(uuid4()))
    question_id: str = field(default_factory=lambda: str(uuid4()))
    answer_id: str = field(default_factory=lambda: str(uuid4()))
    began: str = field(default_factory=_now)

    def question(self) -> StepDict:
        """The user's message."""
        return self._message(self.question_id, "user_message", "What does a data layer do?", None)

    def answer(self, output: str = "") -> StepDict:
        """The assistant's message: empty at first, then whole."""
        return self._message(self.answer_id, "assistant_message", output, self.run_id)

    def run(self, output: str = "") -> StepDict:
        """The run: without an end at first, then with its output."""
        run = {
            **self._common(self.run_id, "run", output, None),
            "input": "What does a data layer do?",
            "end": _now() if output else None,
            "defaultOpen": False,
            "autoCollapse": False,
            "showInput": "json",
            "generation": None,
        }
        return cast("StepDict", run)

    def _message(self, step_id: str, kind: str, output: str, parent: str | None) -> StepDict:
        message = {
            **self._common(step_id, kind, output, parent),
            "end": self.began,
            "command": None,
            "modes": None,
            "waitForAnswer": False,
        }
        return cast("StepDict", message)

    def _common(self, step_id: str, kind: str, output: str, parent: str | None) -> dict[str, Any]:
        return {
            "id": step_id,
            "threadId": self.thread_id,
            "parentId": parent,
            "name": self.label,
            "type": kind,
            "output": output,
            "createdAt": self.began,
            "start": self.began,
            "language": None,
            "streaming": False,
            "isError": False,
            "metadata": {},
            "tags": None,
        }
