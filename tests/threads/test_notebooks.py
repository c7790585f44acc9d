"""Scripts that were written for a thread library that does not await, with the names of this one.

What is different: threads are made by ``threads.create``, and text never names a file.
"""

from __future__ import annotations

from chainkeep.settings import Settings
from chainkeep.threads import Role, open_threads_blocking

PICTURE = "data:image/png;base64,iVBORw0KGgo="
CAT = "https://host/Tabby_cat_with_blue_eyes.jpg"


def test_a_script_posts_and_hands_the_thread_to_a_model(settings: Settings) -> None:
    with open_threads_blocking(settings) as threads:
        thread = threads.create(owner="dolores@example.com")
        thread.add_role(Role(name="agent", user_name="Dolores", icon="dolores"))
        thread.add_message("user", "Hello, Thread!")
        thread.add_message("assistant", "How can I help?")
        thread.add_message("user", "What's this image?", images=[PICTURE])
        thread.add_message("agent", "only for us", private=True)

        assert thread.to_openai() == [
            {"role": "user", "content": [{"type": "text", "text": "Hello, Thread!"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "How can I help?"}]},
            {"role": "user", "content": [
                {"type": "text", "text": "What's this image?"},
                {"type": "image_url", "image_url": {"url": PICTURE}},
            ]},
        ]  # fmt: skip
        assert [message.role for message in thread.messages(include_private=False)] == [
            "user", "assistant", "user",
        ]  # fmt: skip
        version = thread.version()
        assert thread.version() == version

        [found] = threads.list(owner="dolores@example.com").items
        copy = found.copy()
        found.delete(hard=True)
        assert threads.get(thread.id) is None
        assert copy.version() == version
        assert copy.messages()[2].attachments[0].read() == b"\x89PNG\r\n\x1a\n"
        assert copy.remove_images() == 1


def test_a_notebook_keeps_its_thread_from_one_session_to_the_next(
    settings: Settings,
) -> None:
    owner, name, purpose = "random123", "My thread", {"purpose": "demo"}
    with open_threads_blocking(settings) as threads:
        thread = threads.create(name, owner=owner, public=True, attributes=purpose)

        thread.add_message(role="user", content="Hey there!")
        thread.add_message(role="assistant", content="Hello!")
        thread.add_message(role="user", content="What do you see on this picture?", images=[CAT])
        thread.add_message(role="assistant", content="I see a cat with blue eyes.")

        shown = repr(thread.messages())
        assert "I see a cat with blue eyes." in shown

    with open_threads_blocking(settings) as threads:
        [thread] = threads.find(owner=owner, attributes=purpose)
        assert (thread.name, thread.public) == (name, True)
        said = thread.to_openai(as_dict=True, images=None)
        assert [(m["role"], m["content"][0]["text"]) for m in said["messages"]] == [
            ("user", "Hey there!"),
            ("assistant", "Hello!"),
            ("user", "What do you see on this picture?"),
            ("assistant", "I see a cat with blue eyes."),
        ]
        assert [each.url for each in thread.attachments()] == [CAT]
        assert thread.delete_message(thread.last_message().id)
        assert len(thread.messages()) == 3
