from __future__ import annotations

import pytest

from chainkeep.blobs.keys import element_key, is_key, thread_prefix

AWKWARD = ["", "\x00", "../../etc/passwd", "ünïcödé 🧵", "\ud800", "a/b", "x" * 10_000]


@pytest.mark.parametrize("text", AWKWARD)
def test_any_id_gives_a_key(text: str) -> None:
    assert is_key(element_key(text, "element"))
    assert is_key(element_key("thread", text))


def test_different_ids_give_different_keys() -> None:
    keys = {element_key(thread, element) for thread in AWKWARD for element in AWKWARD}

    assert len(keys) == len(AWKWARD) ** 2


def test_the_same_ids_give_the_same_key_in_every_version() -> None:
    assert element_key("thread", "element") == (
        "39200d1e8a8dbbb6d7bcea51e02b99f062d32a5f83151e8c5a9fab79576245dd/"
        "445929267209c034d1e324834c17e0c8305df3dcb21d1710a639ac6ca08c648b"
    )


def test_a_key_tells_nothing_of_the_ids() -> None:
    assert "secret" not in element_key("secret-thread", "secret-element")


def test_the_keys_of_a_thread_share_its_prefix() -> None:
    assert element_key("thread", "element").startswith(thread_prefix("thread"))


def test_the_keys_of_other_threads_do_not() -> None:
    assert not element_key("thread2", "element").startswith(thread_prefix("thread"))


def test_an_element_without_a_thread_has_a_key_too() -> None:
    assert is_key(element_key(None, "element"))


@pytest.mark.parametrize(
    "text", ["", "/ab", "ab/", "ab//cd", "../ab", "ab/../cd", "AB", "ab\n", "ab\x00", "ab/.", "gh"]
)
def test_what_could_lead_elsewhere_is_no_key(text: str) -> None:
    assert not is_key(text)
