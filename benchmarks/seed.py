"""The history that every candidate starts with: the same threads, steps, elements and votes under
the same ids, written in bulk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from pathlib import Path

from sqlalchemy import Connection

from chainkeep.db.dialects import PARAMETER_MARKS
from chainkeep.db.migrations import statements
from chainkeep.db.statements import Statement, load

__all__ = [
    "COMMON_WORD",
    "FULL",
    "QUICK",
    "RARE_WORD",
    "Scale",
    "Seed",
    "create",
    "named",
    "run_script",
    "text",
]

SQL = Path(__file__).parent / "sql"
SCHEMA = Path(__file__).parents[1] / "schema.sql"

COMMON_WORD, RARE_WORD = "harbour", "quasar"
"""What half of a user's threads, and what five of them, say once."""

_STEPS = 20
_DELETED_STEPS = 200
_RARE = 5
_FAVORITE_EVERY = 50


@dataclass(frozen=True, slots=True)
class Scale:
    """How much there is, and how long it is measured."""

    users: tuple[int, ...]
    """For each user, how many threads of 20 steps."""
    lengths: tuple[int, ...]
    """The lengths, in steps, of the threads that are read whole."""
    chats: tuple[int, ...]
    """How many chats go on at once."""
    deletions: int
    """How many threads of 200 steps there are to be deleted."""
    writes: int
    """How many writes the memory is watched over."""
    crowd: int = field(default=0, kw_only=True)
    """How many threads of 20 steps others have besides, a thousand each."""
    seconds: float
    """How long one candidate does one thing in one round."""
    rounds: int


FULL = Scale(
    users=(10, 100, 1_000, 10_000),
    lengths=(20, 200, 2_000),
    chats=(1, 32, 128),
    deletions=40,
    writes=200_000,
    seconds=2.0,
    rounds=5,
)
QUICK = Scale(
    users=(10, 100),
    lengths=(20, 200),
    chats=(1, 8),
    deletions=6,
    writes=5_000,
    seconds=0.2,
    rounds=2,
)


@dataclass(frozen=True, slots=True)
class SeedThread:
    """A thread to be made; the flags are 0 or 1, for both databases alike."""

    n: int
    owner: int
    steps: int
    first_step: int
    common: int
    rare: int
    favorite: int


class Seed:
    """What was seeded, and under which ids."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        # After the users of the list come who reads long threads and deletes, and who writes.
        self._reader = len(scale.users)
        self._sizes = [
            *((owner, _STEPS) for owner, count in enumerate(scale.users) for _ in range(count)),
            *((self._reader, length) for length in scale.lengths),
            *((self._reader, _DELETED_STEPS) for _ in range(scale.deletions)),
            (self._reader + 1, 0),
            *((self._reader + 2 + n // 1000, _STEPS) for n in range(scale.crowd)),
        ]

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(steps for _, steps in self._sizes)

    def threads(self) -> Iterator[SeedThread]:
        """All threads, oldest first; a user's rare and starred ones are spread over all of them."""
        ends = accumulate((steps for _, steps in self._sizes), initial=1)
        place: dict[int, int] = {}
        for n, ((owner, steps), first) in enumerate(zip(self._sizes, ends, strict=False)):
            k = place[owner] = place.get(owner, -1) + 1
            every = max(1, self.count(owner) // _RARE)
            yield SeedThread(
                n=n,
                owner=owner,
                steps=steps,
                first_step=first,
                common=k % 2,
                rare=int(k % every == 0 and k // every < _RARE),
                favorite=int(k % _FAVORITE_EVERY == 0),
            )

    def count(self, owner: int) -> int:
        """How many threads a user has."""
        return self.scale.users[owner] if owner < self._reader else 1

    def user_id(self, threads: int) -> str:
        """The user with so many threads."""
        return _id("a000", self.scale.users.index(threads))

    def identifier(self, threads: int) -> str:
        """What the user with so many threads logs in with."""
        return f"person-{self.scale.users.index(threads)}"

    def newest_thread(self, threads: int) -> str:
        """The thread at the top of the list of the user with so many."""
        return _id("9000", sum(self.scale.users[: self.scale.users.index(threads) + 1]) - 1)

    def found(self, threads: int, word: str) -> int:
        """In how many of so many threads a word is."""
        return _RARE if word == RARE_WORD else threads // 2

    def favorites(self, threads: int) -> int:
        """How many steps the user with so many threads starred."""
        return -(-threads // _FAVORITE_EVERY)

    def thread_of(self, length: int) -> str:
        """The thread of so many steps."""
        return _id("9000", sum(self.scale.users) + self.scale.lengths.index(length))

    def deletable(self) -> Iterator[str]:
        """The threads that are there to be deleted."""
        first = sum(self.scale.users) + len(self.scale.lengths)
        return (_id("9000", first + k) for k in range(self.scale.deletions))

    @property
    def writer(self) -> tuple[str, str]:
        """Id and identifier of the user who writes, and has no threads yet."""
        return _id("a000", self._reader + 1), f"person-{self._reader + 1}"


def _id(kind: str, n: int) -> str:
    return f"00000000-0000-4000-{kind}-{n:012}"


def text(name: str) -> str:
    """A file of SQL; ``schema`` is the project's own."""
    return (SCHEMA if name == "schema" else SQL / f"{name}.sql").read_text("utf-8")


def named(name: str) -> dict[str, Statement]:
    """The named statements of a file of SQL."""
    return {statement.name: statement for statement in load(text(name))}


def create(connection: Connection, *, tables: str, rows: str, seed: Seed) -> None:
    """Make a candidate's tables and fill them, in one transaction."""
    with connection.begin():
        for statement in statements(text(tables)):
            connection.exec_driver_sql(statement)
        first, *rest = statements(text("rows"))
        connection.exec_driver_sql(first)
        _list(connection, seed)
        for statement in [*rest, *statements(text(rows))]:
            connection.exec_driver_sql(statement)


def run_script(connection: Connection, *, name: str) -> None:
    """Run a file of SQL, in one transaction."""
    with connection.begin():
        for statement in statements(text(name)):
            connection.exec_driver_sql(statement)


def _list(connection: Connection, seed: Seed) -> None:
    add = named("seed_list")["add"]
    mark = PARAMETER_MARKS[connection.dialect.name]
    threads = [asdict(thread) for thread in seed.threads()]
    connection.exec_driver_sql(
        add.numbered(mark),
        [tuple(thread[name] for name in add.binds_in_order) for thread in threads],
    )
