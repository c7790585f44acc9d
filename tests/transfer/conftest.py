"""Databases as Chainlit's built-in SQLAlchemy layer leaves them, written by that layer itself."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from chainlit import Audio, CustomElement, Message, Text
from chainlit.context import init_http_context
from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from chainlit.data.storage_clients.base import BaseStorageClient
from chainlit.element import Element
from chainlit.step import Step
from chainlit.types import Feedback
from chainlit.user import User
from chainlit.utils import utc_now
from sqlalchemy import Connection, column, inspect, make_url, select, table, text
from typing_extensions import override

from chainkeep.db.migrations import statements
from chainkeep.transfer.adopt import adopt
from chainkeep.transfer.report import AdoptionReport
from tests.support.databases import run_on
from tests.support.postgres import PostgresDatabases, in_a_thread

TABLES = Path(__file__).parent / "tables"

Row = dict[str, Any]


class Bucket(BaseStorageClient):
    """Takes uploads and answers as Chainlit's S3 client does."""

    @override
    async def upload_file(self, object_key: str, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
        return {"object_key": object_key, "url": f"https://bucket.example/{object_key}"}

    @override
    async def delete_file(self, object_key: str) -> bool:
        raise NotImplementedError

    @override
    async def get_read_url(self, object_key: str) -> str:
        raise NotImplementedError

    @override
    async def close(self) -> None:
        pass


def run_scripts(*names: str) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        with connection.begin():
            for name in names:
                for statement in statements((TABLES / name).read_text()):
                    connection.exec_driver_sql(statement)

    return work


def execute(statement: str, **values: Any) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        with connection.begin():
            connection.execute(text(statement), values)

    return work


def rows_of(name: str, order: str = "id") -> Callable[[Connection], list[Row]]:
    """Every row of a table."""

    def work(connection: Connection) -> list[Row]:
        rows = connection.execute(
            select(text("*")).select_from(table(name)).order_by(column(order))
        )
        return [dict(row) for row in rows.mappings()]

    return work


def everything(connection: Connection) -> dict[str, list[Row]]:
    """Every row of every table."""
    names = inspect(connection).get_table_names()
    found = {
        name: connection.execute(select(text("*")).select_from(table(name))).mappings().all()
        for name in names
    }
    return {name: sorted(map(dict, rows), key=str) for name, rows in found.items()}


@pytest.fixture
async def builtin_url(empty_database_url: str) -> str:
    """A database with the documented tables, empty."""
    backend = make_url(empty_database_url).get_backend_name()
    await run_on(empty_database_url, run_scripts(f"{backend}.sql"))
    return empty_database_url


@pytest.fixture
async def newer_url(builtin_url: str) -> str:
    """The same with the columns that later versions write and the documentation does not name."""
    await run_on(builtin_url, run_scripts("newer_columns.sql"))
    return builtin_url


class Builtin:
    """Chainlit's layer, and what it was given."""

    def __init__(self, layer: SQLAlchemyDataLayer) -> None:
        self.layer = layer
        self.given: dict[str, dict[str, Row]] = {t: {} for t in ("threads", "steps", "elements")}

    async def user(self, identifier: str, metadata: Row) -> str:
        user = await self.layer.create_user(User(identifier=identifier, metadata=metadata))
        assert user
        return str(user.id)

    async def thread(self, thread_id: str, **values: Any) -> None:
        self.given["threads"][thread_id] = values
        init_http_context(thread_id=thread_id)
        await self.layer.update_thread(thread_id, **values)

    async def step(self, step: Row) -> None:
        self.given["steps"][step["id"]] = copy.deepcopy(step)
        await self.layer.create_step(step)

    async def element(self, element: Element) -> None:
        await self.layer.create_element(element)
        self.given["elements"][element.id] = dict(element.to_dict())

    async def vote(self, **values: Any) -> str:
        return await self.layer.upsert_feedback(Feedback(**values))


@asynccontextmanager
async def builtin_layer(url: str) -> AsyncIterator[Builtin]:
    layer = SQLAlchemyDataLayer(url, storage_provider=Bucket())
    try:
        yield Builtin(layer)
    finally:
        await layer.close()


THREAD, EMPTY_THREAD = str(uuid4()), str(uuid4())


class History:
    """Who said what, as it was handed to Chainlit's layer."""

    def __init__(self, url: str, is_postgresql: bool) -> None:
        self.url = url
        # The built-in layer cannot write lists to SQLite.
        self.tags = ["a", "ü,b"] if is_postgresql else None
        self.steps: dict[str, Row] = {}
        self.elements: dict[str, Row] = {}
        self.votes: dict[str, Row] = {}
        self.user_id = ""
        self.report = AdoptionReport(dry_run=True)

    async def write(self) -> None:
        async with builtin_layer(self.url) as chainlit:
            self.user_id = await chainlit.user("ada@example.org", {"role": "admin", "n": 10**20})
            for thread in (THREAD, EMPTY_THREAD):
                await chainlit.thread(
                    thread,
                    name="A chat 🙂",
                    user_id=self.user_id,
                    metadata={"chat_profile": "GPT", "env": {}},
                    tags=self.tags,
                )
            for step in self._steps():
                await chainlit.step(step)
            for element in self._elements():
                await chainlit.element(element)
            self.elements = chainlit.given["elements"]
            self.steps = chainlit.given["steps"]
            await self._vote(chainlit.vote)

    def _steps(self) -> Iterator[Row]:
        init_http_context(thread_id=THREAD)
        question = Message("What's \"up\"?\n'); DROP TABLE steps; --", type="user_message")
        question.created_at = utc_now()
        question.metadata = {"favorite": True, "emoji": "🙂", "deep": {"list": [1, 2.5, None]}}
        yield dict(question.to_dict())
        run = Step(name="on_message", type="run", parent_id=question.id, thread_id=THREAD)
        run.start, run.end = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06.789Z"
        run.show_input, run.default_open, run.auto_collapse = False, True, True
        yield dict(run.to_dict())
        tool = Step(name="tool", type="tool", parent_id=run.id, thread_id=THREAD, language="python")
        tool.input, tool.output, tool.is_error = "print(1)", "1", True
        yield {**tool.to_dict(), "tags": self.tags, "generation": {"model": "m", "tokens": 3}}
        answer = Message("Nothing much.", language="markdown")
        answer.created_at = utc_now()
        yield {**answer.to_dict(), "command": "search"}

    def _elements(self) -> Iterator[Any]:
        answer = next(self._steps())["id"]
        yield Text(name="note.txt", content="hello", display="side", for_id=answer)
        yield Audio(name="a.mp3", content=b"..", auto_play=True, for_id=answer)
        yield CustomElement(name="Chart", props={"values": [1, 2]}, for_id=answer)

    async def _vote(self, vote: Callable[..., Any]) -> None:
        for step_id in self.steps:
            for value, comment in ((0, "no"), (1, None)):
                values: Row = {"forId": step_id, "threadId": THREAD, "value": value}
                vote_id = await vote(**values, comment=comment)
                self.votes[vote_id] = {**values, "comment": comment}


@pytest.fixture
async def history(newer_url: str, database_kind: str) -> History:
    """A history of the test's own, not adopted yet."""
    history = History(newer_url, is_postgresql=database_kind == "postgresql")
    await history.write()
    return history


async def written_and_adopted(url: str, kind: str) -> History:
    await run_on(url, run_scripts(f"{make_url(url).get_backend_name()}.sql", "newer_columns.sql"))
    history = History(url, is_postgresql=kind == "postgresql")
    await history.write()
    history.report = await run_on(url, adopt)
    return history


@pytest.fixture(scope="module")
def adoptions() -> dict[str, History]:
    """What ``adopted`` made, by the kind of database."""
    return {}


@pytest.fixture
def adopted(
    database_kind: str,
    adoptions: dict[str, History],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> History:
    """The same after its adoption; one for all tests of a module, which only look."""
    if database_kind not in adoptions:
        if database_kind == "sqlite":
            url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('adopted')}/chainkeep.db"
        else:
            postgres: PostgresDatabases = request.getfixturevalue("postgres")
            url = postgres.url(postgres.create_database())
        adoptions[database_kind] = in_a_thread(written_and_adopted(url, database_kind))
    return adoptions[database_kind]
