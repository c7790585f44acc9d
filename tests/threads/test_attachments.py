"""Files and pictures that go with messages."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chainkeep.errors import (
    AttachmentTooLargeError,
    AttachmentTypeError,
    BlobNotFoundError,
    ConflictError,
    InvalidInputError,
)
from chainkeep.store import Store
from chainkeep.threads import Attachment, AttachmentLimits, Message, Thread, Threads, remember
from tests.threads.statements import statements_of

PICTURE = Image.new("RGB", (2, 1), "red")


def png() -> bytes:
    buffer = BytesIO()
    PICTURE.save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
LINK = "https://host/cats/tabby.jpg"


def part(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


async def blobs_in(store: Store) -> list[str]:
    keys = store.blobs.keys()
    return [key async for key in keys]


async def only(thread: Thread) -> Message:
    [message] = await thread.messages()
    return message


@pytest.mark.parametrize("given", [PNG, DATA_URL, PICTURE], ids=["bytes", "data URL", "Pillow"])
async def test_a_picture_is_kept_however_it_is_given(thread: Thread, given: Any) -> None:
    posted = await thread.add_message("user", "look", images=[given])
    [kept] = (await only(thread)).attachments
    assert (kept.name, kept.mime, kept.size, kept.type) == (
        "image.png", "image/png", len(PNG), "image",
    )  # fmt: skip
    assert await kept.read() == PNG
    assert await kept.data_url() == DATA_URL
    assert (kept.message_id, kept.id) == (posted.id, posted.attachments[0].id)
    assert await posted.attachments[0].read() == PNG


async def test_a_file_is_taken_by_its_path_and_may_go_before_it_is_posted(
    thread: Thread, tmp_path: Path
) -> None:
    path = tmp_path / "Report 1.pdf"
    path.write_bytes(b"%PDF-1.7")
    report = Attachment.from_path(path)
    path.unlink()
    await thread.add_message("user", "read this", attachments=[report])
    [kept] = (await only(thread)).attachments
    assert (kept.name, kept.mime, kept.type, kept.size) == (
        "Report 1.pdf", "application/pdf", "pdf", 8,
    )  # fmt: skip
    assert await kept.read() == b"%PDF-1.7"


@pytest.mark.parametrize("given", ["/etc/passwd", "file:///etc/passwd", "ftp://host/x", 42])
async def test_text_from_outside_names_no_file(thread: Thread, given: Any) -> None:
    with pytest.raises(InvalidInputError, match="from_path"):
        await thread.add_message("user", "x", images=[given])
    with pytest.raises(InvalidInputError, match="from_path"):
        await thread.add_message("user", "x", attachments=[given])
    assert await thread.messages() == []


async def test_a_link_is_kept_and_not_followed(thread: Thread, store: Store) -> None:
    await thread.add_message("user", "a cat", images=[LINK])
    [kept] = (await only(thread)).attachments
    assert (kept.url, kept.name, kept.mime, kept.status) == (
        LINK,
        "tabby.jpg",
        "image/jpeg",
        "link",
    )
    with pytest.raises(InvalidInputError, match="link"):
        await kept.read()
    assert await blobs_in(store) == []


async def test_what_a_file_says_is_noted_when_it_is_stored(thread: Thread, store: Store) -> None:
    files = [
        Attachment.from_bytes(("é" * 600).encode(), "a.txt"),
        Attachment.from_bytes(b'{"a": [1]}', "b.json"),
        Attachment.from_bytes(b"{", "broken.json"),
        Attachment.from_bytes(b"\0\1", "c.bin"),
    ]
    await thread.add_message("user", "", attachments=files)
    await store.drain()
    found = (await only(thread)).attachments
    assert [each.status for each in found] == ["stored"] * 4
    assert [each.type for each in found] == ["text", "file", "file", "file"]
    assert [each.attributes for each in found] == [
        {"size": 1200, "text": "é" * 500},
        {"size": 10, "parsed_content": {"a": [1]}},
        {"size": 1},
        {"size": 2},
    ]


async def test_an_app_looks_into_files_in_its_own_way(
    open_: Callable[..., Any], store: Store
) -> None:
    async def pages(attachment: Attachment) -> dict[str, Any]:
        return {"pages": len(await attachment.read())}

    threads: Threads = await open_(describe=pages)
    thread = await threads.create()
    await thread.add_message("user", "", attachments=[Attachment.from_bytes(b"123", "x.pdf")])
    await store.drain()
    assert (await only(thread)).attachments[0].attributes == {"size": 3, "pages": 3}


async def test_what_is_too_large_or_of_another_kind_keeps_the_message_out(
    open_: Callable[..., Any], store: Store
) -> None:
    limits = AttachmentLimits(max_bytes=4, types=["image/*", "text/plain"])
    thread = await (await open_(limits=limits)).create()
    small = Attachment.from_bytes(b"1234", "a.txt")
    large = Attachment.from_bytes(b"12345", "a.txt")
    with pytest.raises(AttachmentTooLargeError, match="5 bytes"):
        await thread.add_message("user", "x", attachments=[small, large])
    with pytest.raises(AttachmentTypeError, match="application/pdf"):
        await thread.add_message("user", "x", attachments=[Attachment.from_bytes(b"1", "a.pdf")])
    with pytest.raises(AttachmentTooLargeError):
        await thread.add_message("user", [part(DATA_URL)])
    assert await thread.messages() == []
    assert await blobs_in(store) == []
    await thread.add_message("user", "x", attachments=[small])
    assert len((await only(thread)).attachments) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: Attachment.from_bytes(b"x", ""),
        lambda: Attachment.from_path("/nowhere/at/all"),
        lambda: Attachment.from_path("/"),
        lambda: Attachment.from_data_url("data:image/png;base64,%%%"),
        lambda: Attachment.from_data_url("nothing"),
        lambda: Attachment.from_link("javascript:alert(1)"),
        lambda: Attachment.from_pil(Image.new("F", (1, 1))),
    ],
)
def test_what_is_no_attachment_is_refused(make: Callable[[], Attachment]) -> None:
    with pytest.raises(InvalidInputError):
        make()


async def test_bytes_that_are_no_picture_or_have_no_name_are_refused(thread: Thread) -> None:
    with pytest.raises(InvalidInputError, match="no picture"):
        await thread.add_message("user", "x", images=[b"words"])
    with pytest.raises(InvalidInputError, match="name"):
        await thread.add_message("user", "x", attachments=[b"words"])


async def test_message_and_attachments_are_one_transaction(thread: Thread, store: Store) -> None:
    taken = await thread.add_message("user", "first", images=[PNG])
    with pytest.raises(ConflictError):
        await thread.add_message("user", "second", id=taken.id, images=[PNG])
    assert len(await thread.attachments()) == 1
    await store.drain()
    assert len(await blobs_in(store)) == 1


async def test_attachments_cost_one_statement_however_many_they_are(thread: Thread) -> None:
    async def post() -> None:
        await thread.add_message("user", "x", images=[LINK, LINK, LINK])

    assert len(await statements_of(post)) == 3


async def test_the_order_of_attachments_is_kept(thread: Thread) -> None:
    names = [f"{number}.txt" for number in range(12)]
    for name in names[:2]:
        await thread.add_message("user", "", attachments=[Attachment.from_bytes(b"x", name)])
    rest = [Attachment.from_bytes(b"x", name) for name in names[2:]]
    await thread.add_message("user", "", attachments=rest)
    assert [each.name for each in await thread.attachments()] == names


async def test_a_found_attachment_can_be_posted_again(threads: Threads, thread: Thread) -> None:
    await thread.add_message("user", "x", images=[PNG])
    other = await threads.create()
    await other.add_message("user", "y", attachments=(await only(thread)).attachments)
    await thread.delete(hard=True)
    assert await (await only(other)).attachments[0].read() == PNG


async def test_images_in_the_content_are_shown_and_come_back_to_the_letter(
    thread: Thread, store: Store
) -> None:
    content = [part(DATA_URL), {"type": "text", "text": "and"}, part(LINK), part("data:odd")]
    await thread.add_message("user", content)
    message = await only(thread)
    assert message.content == content
    assert message.attachments == []
    shown = await store.get_thread(thread.id)
    assert shown is not None
    assert [(each.type, each.for_id) for each in shown.elements] == [("image", message.id)] * 2
    assert [m["content"] for m in await remember(thread)] == [content]


async def test_an_edit_changes_the_images_that_are_shown(thread: Thread, store: Store) -> None:
    message = await thread.add_message("user", [part(DATA_URL)], images=[LINK])
    edited = await message.edit([part("https://host/2.png")])
    shown = await store.get_thread(thread.id)
    assert shown is not None
    assert [each.url for each in shown.elements] == [LINK, "https://host/2.png"]
    assert [each.url for each in edited.attachments] == [LINK]
    again = await edited.edit([part(DATA_URL)])
    assert again.content == [part(DATA_URL)]
    await store._attachments.finish(10)
    assert len(await blobs_in(store)) == 1


async def test_images_of_users_are_removed_for_good(thread: Thread, store: Store) -> None:
    text = {"type": "text", "text": "b"}
    await thread.add_message("user", "a", images=[PNG, LINK])
    await thread.add_message("user", [part(DATA_URL), text])
    await thread.add_message("assistant", "c", images=[PNG])
    notes = Attachment.from_bytes(b"notes", "notes.txt")
    await thread.add_message("user", "d", attachments=[notes])
    assert await thread.remove_images() == 3
    assert await thread.remove_images() == 0
    contents = [(m.content, [a.name for a in m.attachments]) for m in await thread.messages()]
    assert contents == [
        ("a", []), ([text], []), ("c", ["image.png"]), ("d", ["notes.txt"]),
    ]  # fmt: skip
    await store.drain()
    await store._attachments.finish(10)
    assert len(await blobs_in(store)) == 2


async def test_attachments_go_with_their_message_and_their_thread(
    thread: Thread, store: Store
) -> None:
    first = await thread.add_message("user", "a", images=[PNG])
    await thread.add_message("user", "b", images=[PNG])
    [kept] = first.attachments
    await first.delete()
    await store._attachments.finish(10)
    with pytest.raises(BlobNotFoundError):
        await kept.read()
    await thread.delete(hard=True)
    await store._attachments.finish(10)
    assert await blobs_in(store) == []


async def test_a_copy_has_attachments_of_its_own(thread: Thread) -> None:
    await thread.add_message("user", [part(DATA_URL)], images=[PNG, LINK])
    copy = await thread.copy()
    await thread.delete(hard=True)
    message = await only(copy)
    assert [(each.name, each.url) for each in message.attachments] == [
        ("image.png", None), ("tabby.jpg", LINK),
    ]  # fmt: skip
    assert await message.attachments[0].read() == PNG


async def test_a_private_messages_attachments_are_nowhere_in_the_ui(
    thread: Thread, store: Store
) -> None:
    message = await thread.add_message("user", "secret", private=True, images=[PNG])
    [hidden] = message.attachments
    shown = await store.get_thread(thread.id)
    assert shown is not None
    assert shown.elements == []
    assert await store.get_element(str(hidden.id)) is None
    assert await hidden.read() == PNG
    await thread.delete(hard=True)
    await store._attachments.finish(10)
    assert await blobs_in(store) == []
