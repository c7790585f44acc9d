"""Elements of every kind, with their bytes; and those that need none."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import chainlit as cl
import pandas as pd
import plotly.graph_objects as go
import pytest
from chainlit.element import Element, ElementDict, Task, TaskStatus
from chainlit.types import Feedback
from matplotlib.figure import Figure
from typing_extensions import override

from chainkeep.blobs.local import LocalBlobs
from chainkeep.chainlit.route import element_url
from chainkeep.errors import BlobError, StorageError
from tests.chainlit.conftest import MakeLayer
from tests.chainlit.contract.chats import App, Chat, as_sent, everything_fired, step_dict

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class ClosedBlobs(LocalBlobs):
    """A blob store that takes nothing and removes nothing."""

    @override
    async def put(self, *_: Any, **__: Any) -> None:
        raise BlobError("The store is closed.")

    @override
    async def delete(self, *_: Any, **__: Any) -> None:
        raise BlobError("The store is closed.")


@pytest.fixture
async def chat(app: App) -> Chat:
    """A chat in which the user has spoken; nothing is kept back."""
    return await app.spoken()


async def send(chat: Chat, *elements: Element, for_id: str = "x") -> None:
    with chat:
        for element in elements:
            if isinstance(element, cl.TaskList):
                await element.send()
            else:
                await element.send(for_id=for_id)
    await everything_fired()


async def stored(app: App, chat: Chat, element: Element) -> dict[str, Any]:
    return as_sent((await app.elements(chat.thread_id))[element.name])


def of_every_kind(directory: Path) -> dict[str, Element]:
    file = directory / "from a file.csv"
    file.write_bytes(b"a,b\n")
    figure = Figure()
    figure.subplots().plot([1, 2])
    return {
        "image": cl.Image(name="image", content=PNG, size="large", display="side"),
        "text": cl.Text(name="text", content="Grüße\0", language="markdown"),
        "pdf": cl.Pdf(name="pdf", content=b"%PDF-1.4", page=3, display="page"),
        "audio": cl.Audio(name="audio", content=b"ID3", auto_play=True, mime="audio/mpeg"),
        "quiet": cl.Audio(name="quiet", content=b"ID3", mime="audio/mpeg"),
        "video": cl.Video(name="video", content=b"v", player_config={"youtube": {"a": [1]}}),
        "file": cl.File(name="file", path=str(file)),
        "bytes": cl.File(name="bytes", content=bytes(range(256))),
        "plot": cl.Plotly(name="plot", figure=go.Figure(data=[go.Bar(y=[1, 2])])),
        "chart": cl.Pyplot(name="chart", figure=figure),
        "table": cl.Dataframe(name="table", data=pd.DataFrame({"a": [1]})),
        "counter": cl.CustomElement(name="counter", props={"count": 1, "deep": [{"x": None}]}),
        "link": cl.Image(name="link", url="https://example.com/a.png"),
    }


async def test_every_key_of_every_kind_comes_back(app: App, chat: Chat, tmp_path: Path):
    with chat:
        elements = of_every_kind(tmp_path)
    await send(chat, *elements.values())
    found = await app.elements(chat.thread_id)
    assert list(found) == list(elements)
    for name, element in elements.items():
        sent: dict[str, Any] = dict(element.to_dict())
        # Chainlit finds the key of its own copy while the element is being kept.
        kept = {key: found[name][key] for key in sent.keys() - {"url", "objectKey", "chainlitKey"}}
        assert kept == {key: sent[key] for key in kept}
        assert {key: type(value) for key, value in kept.items()} == {
            key: type(sent[key]) for key in kept
        }


async def test_every_key_that_chainlit_knows_is_among_those_that_come_back(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="text", content="x")
    await send(chat, element)
    # Nobody but Chainlit itself may know where a file lay.
    assert set(ElementDict.__annotations__) - {"path"} <= set(await stored(app, chat, element))


async def test_a_key_that_is_not_known_yet_comes_back(
    app: App, chat: Chat, monkeypatch: pytest.MonkeyPatch
):
    known = cl.Text.to_dict
    monkeypatch.setattr(cl.Text, "to_dict", lambda text: {**known(text), "nextYear": {"a": [1]}})
    with chat:
        element = cl.Text(name="text", content="x")
    await send(chat, element)
    assert (await stored(app, chat, element))["nextYear"] == {"a": [1]}


async def test_the_bytes_of_every_kind_can_be_read_back(app: App, chat: Chat, tmp_path: Path):
    with chat:
        elements = of_every_kind(tmp_path)
    await send(chat, *elements.values())
    for name in elements.keys() - {"counter", "link"}:
        element = elements[name]
        content = b"a,b\n" if name == "file" else element.content
        content = content.encode() if isinstance(content, str) else content
        assert await app.bytes_of(chat.thread_id, element.id) == content
        assert (await stored(app, chat, element))["url"] == element_url(chat.thread_id, element.id)


async def test_an_upload_comes_back_when_its_session_and_its_files_are_gone(
    app: App, chat: Chat, tmp_path: Path
):
    reference = await chat.session.persist_file("a.csv", "text/csv", content=b"a,b\n")
    file = chat.session.files[reference["id"]]
    with chat:
        element = Element.from_dict(
            {
                "id": file["id"], "name": "a.csv", "path": str(file["path"]), "type": "file",
                "chainlitKey": file["id"], "display": "inline", "mime": "text/csv",
            }
        )  # fmt: skip
    await send(chat, element)
    await chat.disconnect()
    assert not (tmp_path / chat.session.id).exists()
    assert await app.bytes_of(chat.thread_id, element.id) == b"a,b\n"
    assert (await stored(app, chat, element))["chainlitKey"] == file["id"]


async def test_an_element_can_be_read_on_its_own(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="text", content="x")
    await send(chat, element)
    alone = await app.layer.get_element(chat.thread_id, element.id)
    assert as_sent(alone) == await stored(app, chat, element)
    assert await app.layer.get_element(chat.thread_id, "none") is None


async def test_an_element_may_come_before_its_thread_and_its_step(app: App):
    with await app.chat(None) as chat:
        element = cl.Text(name="t", content="x", thread_id="thread", for_id="step", id="e")
    assert chat.thread_id != "thread"
    await app.layer.create_element(element)
    alone: Any = await app.layer.get_element("thread", "e")
    assert (alone["threadId"], alone["forId"]) == ("thread", "step")
    await app.layer.create_step(step_dict("step"))
    assert list(await app.elements("thread")) == ["t"]


async def test_a_task_list_comes_back_with_its_tasks(app: App, chat: Chat):
    with chat:
        tasks = cl.TaskList(tasks=[Task("Count the shells", TaskStatus.RUNNING, "x")])
    await send(chat, tasks)
    kept = await stored(app, chat, tasks)
    assert (kept["type"], kept["forId"]) == ("tasklist", None)
    assert kept["url"] == element_url(chat.thread_id, tasks.id)
    shown = json.loads(await app.bytes_of(chat.thread_id, tasks.id))
    assert shown == {
        "status": "Ready",
        "tasks": [{"title": "Count the shells", "status": "running", "forId": "x"}],
    }


async def test_the_last_of_many_states_of_a_task_list_counts(app: App, chat: Chat):
    with chat:
        tasks = cl.TaskList()
        for n in range(20):
            tasks.status = f"state {n}"
            await tasks.send()
    await everything_fired()
    shown = json.loads(await app.bytes_of(chat.thread_id, tasks.id))
    assert shown["status"] == "state 19"
    assert len(await app.elements(chat.thread_id)) == 1


async def test_a_task_list_whose_content_is_no_json_is_kept_all_the_same(app: App, chat: Chat):
    with chat:
        tasks = cl.TaskList(name="never prepared")
        await app.layer.create_element(tasks)
    assert (await stored(app, chat, tasks))["type"] == "tasklist"


async def test_a_component_that_changes_comes_back_changed_in_every_respect(app: App, chat: Chat):
    with chat:
        counter = cl.CustomElement(name="counter", props={"count": 1})
        await counter.send(for_id="x")
        counter.name, counter.display, counter.props = "renamed", "side", {"count": 2}
        await counter.update()
    await everything_fired()
    assert list(await app.elements(chat.thread_id)) == ["renamed"]
    kept = await stored(app, chat, counter)
    assert (kept["props"], kept["display"]) == ({"count": 2}, "side")


async def test_the_props_of_a_component_are_always_an_object(app: App, chat: Chat):
    with chat:
        element = cl.CustomElement(name="counter")
        for given, kept in (
            ({}, {}),
            ({"a": float("nan"), "b": (1, {2})}, {"a": None, "b": [1, [2]]}),
            (None, {}),
        ):
            element.props = given  # type: ignore[assignment]
            await app.layer.create_element(element)
            assert (await stored(app, chat, element))["props"] == kept


async def test_what_a_caller_does_to_an_element_is_not_kept(app: App, chat: Chat):
    with chat:
        counter = cl.CustomElement(name="counter", props={"list": [1]})
    await send(chat, counter)
    (await stored(app, chat, counter))["props"]["list"].clear()
    assert (await stored(app, chat, counter))["props"] == {"list": [1]}


async def test_an_element_without_a_name_or_a_display_has_one(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="", content="x")
        element.display = None  # type: ignore[assignment]
        await app.layer.create_element(element)
    kept = await stored(app, chat, element)
    assert (kept["name"], kept["display"]) == ("", "inline")


async def test_no_name_reaches_the_key_of_a_blob(app: App, chat: Chat):
    names = [
        "../../etc/passwd",
        "a/b",
        "ä 🐚\0",
        "con",
        "x" * 5_000,
        "\ud800",
        "a\r\nSet-Cookie: b",
    ]
    with chat:
        elements = [cl.File(name=name, content=name.encode("utf-8", "replace")) for name in names]
        for element in elements:
            await app.layer.create_element(element)
    assert all(set(key) <= set("0123456789abcdef/") for key in await app.blob_keys())
    kept = await app.elements(chat.thread_id)
    assert set(kept) == {name.replace("\ud800", "\ufffd") for name in names}
    for element in elements:
        assert await app.bytes_of(chat.thread_id, element.id) == element.content


async def test_a_link_is_kept_as_a_link_and_nothing_is_fetched(app: App, chat: Chat):
    fetched = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fetched.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/picture.png"
    with chat:
        link = cl.Image(name="link", url=url)
    await send(chat, link)
    server.close()
    assert (await stored(app, chat, link))["url"] == url
    assert (fetched, await app.blob_keys()) == ([], [])


async def test_an_object_key_that_a_page_made_up_is_not_believed(app: App, chat: Chat):
    with chat:
        secret = cl.Text(name="secret", content="x")
    await send(chat, secret)
    key = (await stored(app, chat, secret))["objectKey"]
    with chat:
        forged = cl.CustomElement(name="forged", object_key=key)
    await send(chat, forged)
    assert (await stored(app, chat, forged))["objectKey"] != key


@pytest.mark.usefixtures("app")
async def test_what_needs_no_bytes_is_kept_while_the_blob_store_is_down(
    make_layer: MakeLayer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    layer = make_layer(storage_provider=ClosedBlobs(tmp_path))
    monkeypatch.setattr("chainlit.data._data_layer", layer)
    chat = await App(layer).spoken()
    with chat:
        tasks = cl.TaskList(tasks=[Task("t")])
        await tasks.preprocess_content()
        for element in (
            tasks,
            cl.CustomElement(name="counter", props={"count": 1}),
            cl.Image(name="link", url="https://example.com/a.png"),
        ):
            await layer.create_element(element)
    found = await App(layer).elements(chat.thread_id)
    assert set(found) == {"tasklist", "counter", "link"}
    assert json.loads(await App(layer).bytes_of(chat.thread_id, tasks.id))["tasks"]


async def test_the_row_is_kept_though_the_blob_store_refuses_the_bytes(
    app: App, make_layer: MakeLayer, tmp_path: Path
):
    layer = make_layer(storage_provider=ClosedBlobs(tmp_path))
    with await app.spoken() as chat:
        element = cl.Text(name="note", content="x", language="sql")
        with pytest.raises(BlobError):
            await layer.create_element(element)
    await everything_fired()
    kept = await stored(app, chat, element)
    assert (kept["name"], kept["language"]) == ("note", "sql")


async def test_bytes_that_are_lost_are_named_in_the_log(
    app: App, make_layer: MakeLayer, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    layer = make_layer(storage_provider=ClosedBlobs(tmp_path))
    with await app.spoken() as chat:
        element = cl.Text(name="a private name", content="a private text")
        with pytest.raises(BlobError):
            await layer.create_element(element)
    await everything_fired()
    found: Any = await app.layer.get_element(chat.thread_id, element.id)
    assert found["objectKey"] in caplog.text
    assert "private" not in caplog.text


async def test_a_file_that_is_not_there_costs_the_bytes_and_not_the_row(app: App, chat: Chat):
    with chat:
        element = cl.File(name="gone", path="/nowhere/at all")
        with pytest.raises(BlobError):
            await app.layer.create_element(element)
    assert (await stored(app, chat, element))["name"] == "gone"


async def test_a_deleted_element_is_gone_with_its_blob(app: App, chat: Chat):
    with chat:
        gone, kept = cl.Text(name="gone", content="a"), cl.Text(name="kept", content="b")
    await send(chat, gone, kept)
    with chat:
        await gone.remove()
    await everything_fired()
    assert list(await app.elements(chat.thread_id)) == ["kept"]
    assert await app.layer.get_element(chat.thread_id, gone.id) is None
    assert await app.blob_keys() == [(await stored(app, chat, kept))["objectKey"]]


async def test_an_element_may_be_deleted_without_naming_its_thread(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="t", content="a")
    await send(chat, element)
    with chat:
        await app.layer.delete_element(element.id)
    assert await app.elements(chat.thread_id) == {}
    await app.layer.delete_element("never there")


async def test_an_element_deleted_while_it_is_still_being_stored_stays_away(app: App, chat: Chat):
    with chat:
        for n in range(10):
            element = cl.Text(name=str(n), content="a" * 100_000)
            creation = asyncio.create_task(app.layer.create_element(element))
            for _ in range(n):
                await asyncio.sleep(0)
            await app.layer.delete_element(element.id, chat.thread_id)
            await creation
    await everything_fired()
    assert await app.elements(chat.thread_id) == {}
    assert await app.blob_keys() == []


async def test_an_element_whose_create_comes_late_stays_away(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="t", content="a")
        await app.layer.delete_element(element.id, chat.thread_id)
        await app.layer.create_element(element)
    await everything_fired()
    assert await app.elements(chat.thread_id) == {}
    assert await app.blob_keys() == []


async def test_an_element_that_changes_and_is_sent_again_comes_back(app: App, chat: Chat):
    with chat:
        counter = cl.CustomElement(name="counter", props={"count": 1})
        await counter.send(for_id="x")
        await counter.remove()
        counter.props = {"count": 2}
        await counter.send(for_id="x")
    await everything_fired()
    assert (await stored(app, chat, counter))["props"] == {"count": 2}


@pytest.mark.usefixtures("own_database")
async def test_a_deletion_that_fails_does_not_end_the_chat(app: App, chat: Chat):
    await app.layer.execute_sql("DROP TABLE elements", {})
    with chat:
        await cl.Text(name="t", content="a").remove()
    assert chat.emitted[-1][0] == "remove_element"


async def test_a_deleted_step_takes_elements_and_blobs_of_all_below_it_along(app: App, chat: Chat):
    for id, parent in (("run", None), ("answer", "run"), ("other", None)):
        await app.layer.create_step(step_dict(id, chat.thread_id, parentId=parent))
        with chat:
            element = cl.Text(name=f"of {id}", content=id)
        await send(chat, element, for_id=id)
    await app.layer.upsert_feedback(Feedback(forId="answer", value=1))
    with chat:
        await app.layer.delete_step("run")
    await everything_fired()
    assert list(await app.elements(chat.thread_id)) == ["of other"]
    assert await app.blob_keys() == [(await app.elements(chat.thread_id))["of other"]["objectKey"]]


@pytest.mark.usefixtures("own_database")
async def test_no_blob_goes_before_its_deletion_is_committed(app: App, chat: Chat):
    with chat:
        element = cl.Text(name="t", content="a")
    await send(chat, element)
    await app.layer.execute_sql("DROP TABLE feedbacks", {})
    with chat, pytest.raises(StorageError):
        await app.layer.delete_thread(chat.thread_id)
    await everything_fired()
    assert await app.bytes_of(chat.thread_id, element.id) == b"a"


async def test_a_blob_whose_deletion_was_cut_short_is_deleted_by_the_next_process(
    app: App, chat: Chat, make_layer: MakeLayer, tmp_path: Path
):
    with chat:
        element = cl.Text(name="t", content="a")
    await send(chat, element)
    broken = make_layer(storage_provider=ClosedBlobs(tmp_path))
    await broken.delete_thread(chat.thread_id)
    await everything_fired()
    assert len(await app.blob_keys()) == 1
    next_process = make_layer()
    await next_process.create_user(cl.User(identifier="anybody"))
    await everything_fired()
    assert await app.blob_keys() == []


async def test_an_element_that_names_no_thread_belongs_to_the_chat(app: App, chat: Chat):
    with chat:
        element = cl.CustomElement(name="counter", thread_id="")
    await send(chat, element)
    assert (await stored(app, chat, element))["threadId"] == chat.thread_id


@pytest.mark.usefixtures("own_database")
async def test_an_element_that_fails_to_be_written_raises(app: App, chat: Chat):
    await app.layer.execute_sql("DROP TABLE elements", {})
    with chat, pytest.raises(StorageError):
        await app.layer.create_element(cl.Image(name="x", url="https://example.com"))
    with pytest.raises(StorageError):
        await app.layer.get_element(chat.thread_id, "any")
