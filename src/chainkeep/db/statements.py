"""Loads the ``.sql`` files: every statement whole, named and described, none built at run time.

A statement opens with ``-- name: threads_page :many``; ``:one`` gives at most one row, ``:many``
any number and ``:exec`` the count of rows it changed. ``-- expands: ids`` names the binds that take
a list, written ``IN :ids``, or a list of rows, written ``VALUES :rows``. What differs between the
databases stands in ``search.sqlite.sql`` and ``search.postgresql.sql`` beside ``search.sql``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import count
from types import MappingProxyType

from sqlalchemy import TextClause, bindparam, text

from chainkeep.db.dialects import DIALECT_NAMES

__all__ = ["STATEMENTS", "Shape", "Statement", "load"]

_HEADER = re.compile(r"^-- name: (\w+) :(one|many|exec)$", re.MULTILINE)
_EXPANDS = re.compile(r"^-- expands: (\w+(?:, *\w+)*)$", re.MULTILINE)
_BIND = re.compile(r"(?<![:\w]):(\w+)")
_COMMENT = re.compile(r"^[ \t]*--.*$", re.MULTILINE)

Shape = tuple[int, ...]
"""How many values each row of a list has; a list that has no rows is one of as many as it holds."""


@dataclass(frozen=True)
class Statement:
    """One statement of one ``.sql`` file."""

    name: str
    returns: str
    """``one``, ``many`` or ``exec``."""
    sql: str
    description: str
    expands: frozenset[str]

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names of its parameters."""
        return frozenset(_BIND.findall(self.sql))

    @cached_property
    def binds_in_order(self) -> tuple[str, ...]:
        """The names of its parameters, each once, as they first appear."""
        return tuple(dict.fromkeys(_BIND.findall(self.sql)))

    @cached_property
    def clause(self) -> TextClause:
        """The statement for SQLAlchemy, which writes out its lists."""
        clause = text(self.sql)
        return clause.bindparams(*(bindparam(name, expanding=True) for name in self.expands))

    def spread(self, mark: str, shapes: Mapping[str, Shape]) -> str:
        """``numbered``, its lists written out, for the values of the lists in ``binds_in_order``
        one after the other. An empty list holds nothing.
        """
        marks: dict[str, str] = {}
        places = count(1)
        for name in self.binds_in_order:
            rows = [
                ", ".join(f"{mark}{next(places)}" for _ in range(width))
                for width in shapes.get(name, (1,))
            ]
            marks[name] = (
                ", ".join(f"({row or 'NULL'})" for row in rows) if name in self.expands else rows[0]
            )
        return _BIND.sub(lambda bind: marks[bind[1]], self.sql)

    def numbered(self, mark: str) -> str:
        """The statement for a driver that takes parameters by number, in ``binds_in_order``."""
        numbers = {name: number for number, name in enumerate(self.binds_in_order, 1)}
        return _BIND.sub(lambda bind: f"{mark}{numbers[bind[1]]}", self.sql)


def load(source: str) -> Iterator[Statement]:
    """The statements of one file's text, in order."""
    headers = list(_HEADER.finditer(source))
    ends = [header.start() for header in headers[1:]] + [len(source)]
    for header, end in zip(headers, ends, strict=False):
        block = source[header.end() : end]
        expands = _EXPANDS.search(block)
        yield Statement(
            name=header[1],
            returns=header[2],
            sql=_COMMENT.sub("", block).strip().rstrip(";"),
            description=" ".join(line.strip("- ") for line in _COMMENT.findall(block)),
            expands=frozenset(re.split(r", *", expands[1])) if expands else frozenset(),
        )


def _load_all() -> dict[str, Mapping[str, Statement]]:
    folder = files("chainkeep.db") / "sql"
    loaded: dict[str, dict[str, Statement]] = {dialect: {} for dialect in DIALECT_NAMES}
    for entry in folder.iterdir():
        _, *dialect, suffix = entry.name.split(".")
        if suffix == "sql":
            statements = {each.name: each for each in load(entry.read_text("utf-8"))}
            for name in dialect or DIALECT_NAMES:
                loaded[name].update(statements)
    return {dialect: MappingProxyType(statements) for dialect, statements in loaded.items()}


STATEMENTS: Mapping[str, Mapping[str, Statement]] = MappingProxyType(_load_all())
"""Dialect name to statement name to statement."""
