"""Pebble, a bot that needs no key and no network: it counts, tells a story and remembers.

Nothing here knows of Chainlit. The same words always get the same answer.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Number = int | float

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_SUM = re.compile(r"[-(]*\d[\d.\s()]*[-+*/%][-+*/%\d.\s()]*[\d)]")

HELP = """I am Pebble. I live on a beach without a network, so I only know small things:

- **sums**: `what is 12 * (3 + 4)?`
- **stories**: `tell me a story`
- **what you said before**: `what did I say?`
- **pictures and the like**: `show image`, `show everything`
- **your files**: attach one and I describe it
- **a question back**: `ask me something`
"""

STORY = """A pebble lay where the river meets the sea. Each tide asked it the same thing: \
“Do you remember me?” And each time the pebble said: “You came at dawn, you were cold, and you \
left a shell.”

The tides were proud creatures and forgot everything, even their own names. So they began to tell \
the pebble what they had seen: ships, storms, a whale that sang off-key. The pebble kept it all.

One winter the sea went far out and came back confused. “Who was I?” it asked. The pebble told it, \
wave by wave, from the first to the last. And nothing was missing."""


class Memory:
    """What the user said in this conversation, in order."""

    def __init__(self, said: Mapping[str, str] | None = None) -> None:
        self._said = dict(said or {})

    @classmethod
    def of_steps(cls, steps: Iterable[Mapping[str, Any]]) -> Memory:
        """The memory of a stored conversation."""
        return cls({s["id"]: s["output"] for s in steps if s["type"] == "user_message"})

    def hear(self, message_id: str, text: str) -> None:
        """Remember a message. One that was edited replaces its old self and all that came after."""
        if message_id in self._said:
            kept = list(self._said)[: list(self._said).index(message_id)]
            self._said = {i: self._said[i] for i in kept}
        self._said[message_id] = text

    def before_now(self) -> list[str]:
        """All messages but the newest."""
        return list(self._said.values())[:-1]

    def __len__(self) -> int:
        return len(self._said)


def find_sum(text: str) -> str | None:
    """The first thing in the text that can be calculated."""
    found = _SUM.search(text)
    return found.group().strip() if found else None


def calculate(expression: str) -> str:
    """The result of a sum, or a word on why there is none."""
    try:
        return f"{_value(ast.parse(expression, mode='eval').body):,}"
    except ZeroDivisionError:
        return "nothing at all, for nobody can divide by zero"
    except (SyntaxError, ValueError, OverflowError):
        return "beyond me"


def _value(node: ast.expr) -> Number:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        result: Number = _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
        return result
    raise ValueError(ast.dump(node))


def reply(text: str, memory: Memory) -> str:
    """What Pebble says to anything that needs no tool."""
    asked = text.lower()
    if "help" in asked:
        return HELP
    if "did i say" in asked:
        return _recall(memory.before_now())
    return f"I heard “{text}”. That is pebble number {len(memory)} on this beach."


def _recall(said: list[str]) -> str:
    if not said:
        return "Nothing yet. The beach is empty."
    return "You said:\n\n" + "\n".join(f"{n}. {text}" for n, text in enumerate(said, 1))


def words(text: str) -> Iterator[str]:
    """The text in the pieces in which it is streamed."""
    return iter(re.findall(r"\S+\s*|\s+", text))
