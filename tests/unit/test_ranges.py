from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.chainlit.ranges import answer_to, is_known, wanted_range

ETAG = '"v1"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-5", range(2, 6)),
        ("bytes=2-", range(2, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-30", range(10)),
        ("bytes=5-99", range(5, 10)),
        ("BYTES= 1-2 ", range(1, 3)),
    ],
)
def test_a_range_names_its_bytes(header: str, part: range):
    assert wanted_range(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_of_bytes_that_do_not_exist_is_empty(header: str):
    assert wanted_range(header, 10) == range(0)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=-",
        "bytes=5-4",
        "bytes=x-y",
        "items=0-1",
        "bytes=0-1,2-3",
        "bytes=+1-2",
        "bytes=1-" + "9" * 5000,
        "bytes=\u0661-\u0662",
    ],
)
def test_what_is_no_single_range_of_bytes_asks_for_the_whole(header: str | None):
    assert wanted_range(header, 10) is None


def test_of_an_empty_blob_no_range_exists():
    assert wanted_range("bytes=0-", 0) == range(0)


@given(header=st.text() | st.from_regex(r"bytes=\d*-\d*"), size=st.integers(0, 2**40))
def test_no_header_names_bytes_outside_the_blob(header: str, size: int):
    part = wanted_range(header, size)
    assert part is None or not part or (part[0] >= 0 and part[-1] < size)


@pytest.mark.parametrize("header", ['"v1"', 'W/"v1"', '"v0", "v1"', '"v0",W/"v1"', "*", " * "])
def test_a_version_that_is_named_is_known(header: str):
    assert is_known(header, '"v1"')
    assert is_known(header, 'W/"v1"')


@pytest.mark.parametrize("header", [None, "", '"v2"', "v1", '"a, b"'])
def test_a_version_that_is_not_named_is_not_known(header: str | None):
    assert not is_known(header, ETAG)


def test_a_known_version_comes_before_a_range():
    answer = answer_to({"if-none-match": ETAG, "range": "bytes=0-1"}, etag=ETAG, size=10)
    assert (answer.status, answer.part) == (304, range(0))


@pytest.mark.parametrize("if_range", ['"v0"', 'W/"v1"', "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_part_of_another_version_is_not_mixed_in(if_range: str):
    answer = answer_to({"range": "bytes=0-1", "if-range": if_range}, etag=ETAG, size=10)
    assert (answer.status, answer.part) == (200, range(10))


def test_a_weak_version_is_never_continued():
    answer = answer_to({"range": "bytes=0-1", "if-range": 'W/"v1"'}, etag='W/"v1"', size=10)
    assert answer.status == 200
