"""Text, JSON and time on their way to a database and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from chainkeep.values import (
    cleaned_json,
    from_json,
    json_object,
    next_position,
    readable_text,
    stored_text,
    text_of_rows,
    timestamp,
    to_json,
    utc_now,
)

LONE_SURROGATE = "\ud83d"
leaves = st.none() | st.booleans() | st.integers() | st.text()
json_values = st.recursive(
    leaves | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
any_text = st.text(st.characters(codec="utf-8") | st.sampled_from("\0\ufdd0\ufdd1\ufdd2"))


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def printed(program: str, **env: str) -> list[str]:
    """The words that a Python of its own prints, in a few seconds at the most."""
    command, surroundings = [sys.executable, "-c", program], {**os.environ, **env}
    done = subprocess.run(
        command, env=surroundings, check=True, capture_output=True, text=True, timeout=10
    )
    return done.stdout.split()


class Odd:
    @override
    def __str__(self) -> str:
        return f"odd {LONE_SURROGATE}"


@given(any_text)
def test_text_comes_back_as_it_was_stored(text: str):
    assert readable_text(stored_text(text)) == text


@given(any_text)
def test_stored_text_is_what_both_databases_can_hold(text: str):
    stored = stored_text(text)
    assert "\0" not in stored
    stored.encode()


@given(any_text, any_text)
def test_a_part_of_a_text_is_a_part_of_the_stored_text(before: str, part: str):
    # A search compares stored text with stored text.
    assert stored_text(part) in stored_text(before + part)


@given(any_text, any_text)
def test_different_texts_are_stored_differently(one: str, other: str):
    assert (stored_text(one) == stored_text(other)) == (one == other)


def test_half_a_character_becomes_the_character_for_what_is_none():
    assert stored_text(f"a{LONE_SURROGATE}b") == "a\ufffdb"


def test_an_emoji_is_no_half_character():
    assert stored_text("🐚") == "🐚"


@given(json_values)
def test_json_comes_back_as_it_was_written(value: object):
    assert from_json(to_json(value)) == value


@given(json_values)
def test_json_that_needs_no_cleaning_is_not_changed_by_it(value: object):
    assert cleaned_json(value) == value


def test_json_is_compact_and_keeps_its_order_and_its_letters():
    assert to_json({"z": "ä\u2028", "a": [1, 2.0]}) == '{"z":"ä\u2028","a":[1,2.0]}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (float("nan"), "null"),
        ([float("inf"), -float("inf"), 0.1], "[null,null,0.1]"),
        ((1, (2,)), "[1,[2]]"),
        ({1}, "[1]"),
        (frozenset(), "[]"),
        (b"\0", "\"b'\\\\x00'\""),
        ({1: "a", None: "b", False: {2}}, '{"1":"a","null":"b","false":[2]}'),
        ({1.5: "d", (2,): "e"}, '{"1.5":"d","(2,)":"e"}'),
        (datetime(2026, 1, 1, tzinfo=timezone.utc), '"2026-01-01 00:00:00+00:00"'),
        ({"a": {LONE_SURROGATE: LONE_SURROGATE}, "b": {1}}, '{"a":{"\ufffd":"\ufffd"},"b":[1]}'),
        (Odd(), '"odd \ufffd"'),
        ([10**5_000], f'["{hex(10**5_000)}"]'),
        (True, "true"),
    ],
)
def test_what_json_has_no_word_for_is_replaced(value: object, kept: str):
    assert to_json(value) == kept


def test_a_value_in_itself_ends_somewhere():
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = loop
    assert from_json(to_json(loop))["a"] == 1


def test_values_that_hold_each_other_end_soon():
    program = """
from chainkeep.values import to_json
one, other = {"name": "one"}, {"name": "other"}
one.update(there=other, there_too=[other])
other.update(back=one, back_again=[one])
print(len(to_json(one)) < 10_000)
"""
    assert printed(program) == ["True"]


def test_a_value_that_is_held_twice_is_written_twice():
    shared = {"a": 1}
    assert cleaned_json([shared, shared, {"x": shared, "y": {1}}]) == [
        shared,
        shared,
        {"x": shared, "y": [1]},
    ]


def test_very_deep_values_are_cut_where_they_are_too_deep_to_be_read():
    assert from_json(to_json(nested(50))) == nested(50)
    assert len(to_json(cleaned_json(nested(100_000)))) < 1_000


def test_a_value_whose_words_fail_is_replaced():
    class Wordless:
        @override
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert set(from_json(to_json({"a": 1, "b": Wordless()}))) == {"a", "b"}


def test_cleaning_makes_a_copy():
    value = {"list": [1]}
    copy = cleaned_json(value)
    value["list"].append(2)
    assert copy == {"list": [1]}


@pytest.mark.parametrize(
    ("text", "value"), [(None, {}), ("null", {}), ("[1]", {}), ('"a"', {}), ('{"a":1}', {"a": 1})]
)
def test_an_object_is_an_object_whatever_is_stored(text: str | None, value: Mapping[str, object]):
    assert json_object(text) == value


FORMS = {
    "2026-01-02T03:04:05.678901Z": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05Z": "2026-01-02T03:04:05.000000Z",
    "2026-01-02t03:04:05z": None,
    "2026-01-02T03:04:05z": "2026-01-02T03:04:05.000000Z",
    "2026-01-02T03:04:05.6Z": "2026-01-02T03:04:05.600000Z",
    "2026-01-02T03:04:05,6Z": "2026-01-02T03:04:05.600000Z",
    "2026-01-02T03:04:05.123456789Z": "2026-01-02T03:04:05.123456Z",
    "2026-01-02T03:04:05.678901ZZ": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05+00:00Z": "2026-01-02T03:04:05.000000Z",
    "2026-01-02T03:04:05.678901": "2026-01-02T03:04:05.678901Z",
    "2026-01-02T08:34:05+05:30": "2026-01-02T03:04:05.000000Z",
    "2026-01-01T19:04:05 -0800": "2026-01-02T03:04:05.000000Z",
    "2026-01-02 03:04": "2026-01-02T03:04:00.000000Z",
    " 2026-01-02 ": "2026-01-02T00:00:00.000000Z",
    "0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000000Z",
    "0001-01-01T00:00:00+05:00": "0001-01-01T00:00:00.000000Z",
    "9999-12-31T23:59:59-05:00": "9999-12-31T23:59:59.000000Z",
    "2026-02-30": None,
    "2026-01-02T25:00Z": None,
    "2026-01-02T03:04:05+99:99": None,
    "soon": None,
    "": None,
    "2026": None,
    "٢٠٢٦-01-02": None,
}


@pytest.mark.parametrize(("given", "kept"), FORMS.items())
def test_a_time_has_one_form_or_is_none(given: str, kept: str | None):
    assert timestamp(given) == kept


@pytest.mark.parametrize("given", [None, 12, 1.5, True, b"2026-01-01", {}, datetime])
def test_what_is_no_time_is_none(given: object):
    assert timestamp(given) is None


def test_a_datetime_is_a_time_in_utc_where_it_names_no_zone():
    moment = datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001 - that is the question
    assert timestamp(moment) == "2026-01-02T03:04:05.000006Z"
    east = timezone(timedelta(hours=5, minutes=30))
    assert timestamp(moment.replace(tzinfo=east)) == "2026-01-01T21:34:05.000006Z"


@given(st.datetimes())
def test_times_sort_as_text_as_they_do_as_times(moment: datetime):
    later = moment + timedelta(seconds=1) if moment.year < 9999 else moment
    assert str(timestamp(moment)) <= str(timestamp(later))
    assert timestamp(timestamp(moment)) == timestamp(moment)


def test_the_present_is_the_same_in_every_time_zone():
    program = """
import time
from chainkeep.values import timestamp, utc_now
naive = timestamp("2026-07-01T12:00:00")
print(utc_now()[:16], time.strftime("%Y-%m-%dT%H:%M", time.gmtime()), naive, time.strftime("%z"))
"""
    ours, system, naive, zone = printed(program, TZ="Asia/Kolkata")
    assert (ours[:13], naive, zone) == (system[:13], "2026-07-01T12:00:00.000000Z", "+0530")


def test_the_present_has_the_databases_form():
    now = utc_now()
    assert timestamp(now) == now


def test_positions_rise_strictly_also_within_a_microsecond():
    positions = [next_position() for _ in range(10_000)]
    assert positions == sorted(set(positions))


def test_positions_stay_close_to_the_clock():
    seconds = next_position() / 1_000_000
    assert abs(seconds - datetime.now(timezone.utc).timestamp()) < 60


def test_what_is_written_is_json():
    for value in (float("nan"), {"a": {1, 2}}, Odd(), nested(500)):
        json.loads(to_json(cleaned_json(value)), parse_constant=pytest.fail)


class Kind(str, Enum):
    """Text by another name."""

    TOOL = "tool"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([["a", "", "b"]], "a\x1f\x1fb"),
        ([["a", None], [None, "b"]], "a\x1f\x1e\x1d\x1e\x1fb"),
        ([[True, 7], [False, 0]], "1\x1f7\x1d0\x1f0"),
        ([["", ""], ["", ""]], "\x1f\x1d\x1f"),
        ([[Kind.TOOL, "\n"]], "tool\x1f\n"),
    ],
)
def test_rows_are_one_text(rows: list[list[str | int | None]], text: str) -> None:
    assert text_of_rows(rows) == text


@pytest.mark.parametrize(
    "rows", [[["a", "b\x1f"]], [["a\x1d", "b"]], [["\x1e", "a"]], [["\x1e", None], ["a\x1eb", "c"]]]
)
def test_rows_that_would_be_read_as_others_are_refused(rows: list[list[str | None]]) -> None:
    with pytest.raises(ValueError, match="cannot be one text"):
        text_of_rows(rows)
