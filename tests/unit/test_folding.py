"""Text as the search compares it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainkeep.folding import fold, places


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"), ("résumé", "RE\u0301SUME\u0301"), ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ǰ", "J\u030c"), ("ᾳ\u0301", "\u0391\u0345\u0301"), ("한", "\u1112\u1161\u11ab"),
        ("ﬁ", "FI"),
    ],
)  # fmt: skip
def test_what_unicode_calls_the_same_is_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_other_letters_are_others() -> None:
    assert len({fold(text) for text in ("e", "é", "i", "\u0131", "²", "2")}) == 6


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("a needle, a Needle", "needle", [(2, 8), (12, 18)]),
        ("die Straße dort", "strasse", [(4, 10)]),
        ("die Straße dort", "s", [(4, 5), (8, 9), (8, 9)]),
        ("cafe\u0301 noir", "é n", [(3, 7)]),
        ("İI", "i\u0307", [(0, 1)]),
        ("aaa", "aa", [(0, 2)]),
        ("nothing", "x", []),
        ("nothing", "", []),
    ],
)
def test_places_are_counted_in_the_text_as_it_was_said(
    text: str, term: str, found: list[tuple[int, int]]
) -> None:
    assert places(text, term) == found


@given(st.text(), st.text(min_size=1, max_size=3))
def test_each_place_holds_the_term(text: str, words: str) -> None:
    for begin, end in places(text, fold(words)):
        assert fold(words) in fold(text[begin:end]) or end - begin < len(text)
