"""Units of work as text and back, for the journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from chainkeep.db.step_writes import StepWrite
from chainkeep.models import Caller, Element, Feedback, Step
from chainkeep.scope import EVERYTHING, Scope
from chainkeep.values import cleaned_json

__all__ = ["Operation", "from_record", "to_record"]

_FORMAT = 1
_STEP_WRITE = "step_write"
_TYPES: Mapping[str, Callable[..., Any]] = {
    kind.__name__: kind for kind in (Caller, Element, Feedback, Scope, Step, StepWrite)
}


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of ``chainkeep.db.units``, by its name, and all it needs but the connection."""

    name: str
    arguments: Mapping[str, Any]
    scope: Scope = EVERYTHING
    """What the thread named in ``arguments`` has to be in; where it is not, it is not found."""


def to_record(key: str, work: object) -> str:
    """A unit as one line of text; its work is an ``Operation`` or a ``StepWrite``."""
    if isinstance(work, StepWrite):
        work = Operation(_STEP_WRITE, {"write": work})
    if not isinstance(work, Operation):
        raise TypeError(f"{type(work).__name__} cannot be kept in a journal")
    arguments = {name: _packed(value) for name, value in work.arguments.items()}
    return json.dumps(
        {
            "format": _FORMAT,
            "key": key,
            "operation": work.name,
            "arguments": arguments,
            "scope": _packed(work.scope),
        }
    )


def from_record(text: str) -> tuple[str, Operation | StepWrite]:
    """A unit's key and work; ``ValueError`` for what ``to_record`` did not write."""
    record = json.loads(text)
    if record["format"] != _FORMAT:
        raise ValueError(f"a record of format {record['format']}")
    arguments = {name: _unpacked(value) for name, value in record["arguments"].items()}
    if record["operation"] == _STEP_WRITE:
        return record["key"], arguments["write"]
    return record["key"], Operation(record["operation"], arguments, _unpacked(record["scope"]))


def _packed(value: Any) -> list[Any]:
    """A value with its type's name before it."""
    if isinstance(value, (Caller, StepWrite)):
        fields_of = value._asdict()
        return [type(value).__name__, {name: _packed(item) for name, item in fields_of.items()}]
    if is_dataclass(value) and not isinstance(value, type):
        return [
            type(value).__name__,
            {field.name: _packed(getattr(value, field.name)) for field in fields(value)},
        ]
    if isinstance(value, frozenset):
        return ["frozenset", sorted(value)]
    return ["json", cleaned_json(value)]


def _unpacked(packed: list[Any]) -> Any:
    kind, value = packed
    if kind == "json":
        return value
    if kind == "frozenset":
        return frozenset(value)
    return _TYPES[kind](**{name: _unpacked(item) for name, item in value.items()})
