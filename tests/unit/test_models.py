"""The plain values that the database holds."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.errors import InvalidInputError
from chainkeep.models import Step, show_input_from_text, show_input_to_text
from chainkeep.paging import Cursor


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@given(st.text(), st.text())
def test_a_cursor_comes_back_from_its_text(last_activity_at: str, thread_id: str):
    cursor = Cursor(last_activity_at, thread_id)
    assert Cursor.decode(cursor.encode()) == cursor


@given(st.text(), st.text())
def test_a_cursor_travels_as_plain_characters(last_activity_at: str, thread_id: str):
    text = Cursor(last_activity_at, thread_id).encode()
    assert text.isascii()
    assert not set(text) & set('+/ "&?#')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a thread's id",
        "ä",
        "====",
        "AAAA",
        encoded(None),
        encoded(1),
        encoded([]),
        encoded([1, "a"]),
        encoded([1, "a", "b", "c"]),
        encoded([1, "a", 2]),
        encoded([1, None, "b"]),
        encoded([2, "a", "b"]),
        encoded({"a": 1, "b": 2, "c": 3}),
        encoded("abc"),
    ],
)
def test_any_other_text_is_no_cursor(text: str):
    with pytest.raises(InvalidInputError, match="cursor"):
        Cursor.decode(text)


@given(st.none() | st.booleans() | st.text() | st.sampled_from(["true", "false", '"true"', '"']))
def test_show_input_comes_back_from_its_text(value: bool | str | None):
    read = show_input_from_text(show_input_to_text(value))
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), ("json", "json"), (None, None)]
)
def test_show_input_is_stored_as_the_built_in_layers_store_it(
    value: bool | str | None, text: str | None
):
    assert show_input_to_text(value) == text


def test_a_model_is_frozen():
    step = Step(id="a", thread_id="b", created_at="c")
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.output = "changed"  # type: ignore[misc]


def test_models_share_nothing_that_can_change():
    first, second = (Step(id=id, thread_id="b", created_at="c") for id in "ab")
    first.metadata["a"] = 1
    first.extra["a"] = 1
    assert (second.metadata, second.extra) == ({}, {})


def test_a_step_is_the_same_however_it_is_made():
    least: dict[str, Any] = {"id": "s", "thread_id": "t", "created_at": "2026-01-01T00:00:00Z"}
    most: dict[str, Any] = {field.name: field.name for field in dataclasses.fields(Step)}
    assert Step.of(least) == Step(**least)
    assert Step.of(most) == Step(**most)
    assert Step.of(least).metadata is not Step.of(least).metadata
    assert dataclasses.replace(Step.of(least), name="Ada") == Step(**least, name="Ada")
