"""Whatever a column holds is read, or kept: nothing of a row is lost by reading it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.transfer.builtin import CONVERT, REQUIRED
from chainkeep.transfer.source import SourceRow
from chainkeep.values import readable_text

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
WHATEVER = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()


def row(value: object) -> SourceRow:
    return SourceRow({"column": value})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_stays_as_it_is(text: str) -> None:
    assert readable_text(row(text).text_or("column", "")) == text


def test_an_id_becomes_text() -> None:
    assert row(UUID(int=1)).text("column") == "00000000-0000-0000-0000-000000000001"


def test_bytes_are_read_as_text_and_kept() -> None:
    source = row(b"caf\xe9")
    assert source.text("column") == "caf\ufffd"
    assert source.leftovers == {"column": "636166e9"}


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", "t"])
def test_a_flag_is_true(value: object) -> None:
    assert row(value).flag("column") is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "False", "f"])
def test_a_flag_is_false(value: object) -> None:
    assert row(value).flag("column") is False


@pytest.mark.parametrize("value", ["maybe", 2, ""])
def test_what_is_no_flag_is_kept(value: object) -> None:
    source = row(value)
    assert source.flag("column") is None
    assert source.leftovers == {"column": value}


@pytest.mark.parametrize(("value", "number"), [(3, 3), ("3", 3), ("-1", -1), (None, None)])
def test_a_number_is_read(value: object, number: int | None) -> None:
    source = row(value)
    assert source.number("column") == number
    assert source.leftovers == {}


@pytest.mark.parametrize("value", ["three", 10**12, 1.5, ""])
def test_what_is_no_number_is_kept(value: object) -> None:
    source = row(value)
    assert source.number("column") is None
    assert source.leftovers == {"column": value}


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T03:04:05.000000",
        "2026-01-02 03:04:05+00:00",
        "2026-01-02T05:04:05+02:00",
        datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_is_one_width(value: object) -> None:
    assert row(value).time("column") == "2026-01-02T03:04:05.000000Z"


def test_what_is_no_time_is_kept() -> None:
    source = row("yesterday")
    assert source.time_or("column", None, "then") == "then"
    assert source.leftovers == {"column": "yesterday"}
    assert source.filled == {"column": 1}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("true", "true"),
        ("false", "false"),
        ("json", "json"),
        ("none", None),
        ("", None),
        (None, None),
        (True, "true"),
        (False, "false"),
        ('"quoted', '"\\"quoted"'),
    ],
)
def test_show_input_is_kept(value: object, kept: str | None) -> None:
    assert row(value).show_input("column") == kept


@given(JSON_VALUES)
def test_json_is_the_same_to_the_letter(value: object) -> None:
    text = json.dumps(value)
    source = row(text)
    if isinstance(value, str):
        return  # it may be JSON once more; see below
    assert source.json("column") == (None if value is None else text)
    assert source.leftovers == {}


@given(JSON_VALUES.filter(lambda value: isinstance(value, (dict, list))))
def test_json_that_was_encoded_twice_is_decoded(value: object) -> None:
    source = row(json.dumps(json.dumps(value)))
    assert json.loads(source.json("column") or "null") == value


@pytest.mark.parametrize(
    "text", ['{"a": 1.10}', "[1e400, 12345678901234567890]", '{"a":"\\u0000"}']
)
def test_numbers_and_escapes_are_not_touched(text: str) -> None:
    assert row(text).json("column") == text


@pytest.mark.parametrize("text", ['{"a": NaN}', '["\\ud800"]'])
def test_json_that_nobody_else_could_read_is_mended_and_kept(text: str) -> None:
    source = row(text)
    mended = source.json("column") or ""
    mended.encode()
    assert "NaN" not in mended
    assert source.leftovers == {"column": text}


def test_an_emoji_in_escapes_is_nothing_to_mend() -> None:
    source = row('{"a": "\\ud83d\\ude42"}')
    assert source.json_object("column") == '{"a": "\\ud83d\\ude42"}'
    assert source.leftovers == {}


@pytest.mark.parametrize("text", ["{broken", "[1]", "3", '"words"'])
def test_what_is_no_object_is_kept(text: str) -> None:
    source = row(text)
    assert source.json_object("column") == "{}"
    assert source.leftovers == {"column": text}


@pytest.mark.parametrize("value", [None, "null"])
def test_no_object_is_an_empty_one(value: object) -> None:
    source = row(value)
    assert source.json_object("column") == "{}"
    assert source.leftovers == {}


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        (["a", "b"], ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("a,b", ["a,b"]),
        ("[]", []),
        (None, None),
        ("null", None),
    ],
)
def test_tags_are_a_list(value: object, tags: list[str] | None) -> None:
    assert json.loads(row(value).tags("column") or "null") == tags


@pytest.mark.parametrize("table", sorted(REQUIRED))
@given(data=st.data())
def test_any_row_is_converted_or_left_whole(table: str, data: st.DataObject) -> None:
    columns = sorted(REQUIRED[table] | {"unknown", "page", "tags", "props", "start", "streaming"})
    values: dict[str, Any] = data.draw(st.fixed_dictionaries(dict.fromkeys(columns, WHATEVER)))
    source = SourceRow(values)
    converted = CONVERT[table](source)
    remains = {**source.whole(), **source.leftovers}
    given_values = {c: v for c, v in values.items() if v is not None}
    if converted is None:
        assert remains.keys() == given_values.keys()
    if values["unknown"] is not None:
        assert "unknown" in remains or "unknown" in json.loads((converted or {})["extra"])
