"""The Thread API in a script, without an event loop."""

from __future__ import annotations

import threading

import pytest

from chainkeep.errors import NotFoundError
from chainkeep.settings import Settings
from chainkeep.threads import Scope, open_threads_blocking


def test_a_script_does_what_an_app_does(settings: Settings) -> None:
    with open_threads_blocking(settings) as threads:
        thread = threads.create("A chat", owner="ada", attributes={"a": 1})
        message = thread.add_message("user", "hi")
        assert message.add_reaction("👍", "ada")
        assert message.reactions() == {"👍": ["ada"]}
        assert thread.figures().messages["user"] == 1
        assert thread.name == "A chat"
        assert repr(thread).startswith("Thread(id=")
        [found] = threads.find(attributes={"a": 1})
        [read] = found.messages()
        assert read.edit("hello").text == "hello"
        assert threads.list(owner="ada").items[0].messages()[0].text == "hello"
        assert threads.page("ada").threads[0].last_message().text == "hello"
        assert thread.remember()[0]["role"] == "user"
        assert thread.generate_title() == "hello"
        thread.delete()
        with pytest.raises(NotFoundError):
            thread.add_message("user", "too late")
    with open_threads_blocking(settings) as threads:
        assert threads.get(thread.id) is None


def test_a_script_keeps_to_a_scope(settings: Settings) -> None:
    with open_threads_blocking(settings, products=["shop"]) as threads:
        hers = threads.within(Scope(user="ada", org="acme", product="shop"))
        thread = hers.create("Order")
        assert [each.name for each in hers.list().items] == ["Order"]
        assert threads.within(Scope(user="ada", org="other")).get(thread.id) is None


def test_no_thread_is_left_running(settings: Settings) -> None:
    with open_threads_blocking(settings) as threads:
        threads.create()
    assert "chainkeep-threads" not in {each.name for each in threading.enumerate()}


def test_a_script_that_fails_closes_what_it_opened(settings: Settings) -> None:
    with pytest.raises(KeyError), open_threads_blocking(settings):
        raise KeyError
    assert "chainkeep-threads" not in {each.name for each in threading.enumerate()}


def test_what_a_script_read_it_can_post_again(settings: Settings) -> None:
    with open_threads_blocking(settings) as threads:
        first = threads.create().add_message("user", "x", images=[b"\x89PNG\r\n\x1a\n"])
        again = threads.create().add_message("user", "y", attachments=first.attachments)
        assert again.reload().attachments[0].read() == first.attachments[0].read()
