"""The account finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.ledger import Kept, Ledger, Note, Verdict, judge, read_notes

WRITTEN = [Note("t", number, version) for number in (1, 2, 3) for version in (0, 1, 2)]


@pytest.mark.parametrize(
    ("kept", "verdict"),
    [
        ([(1, 2), (2, 2), (3, 2)], Verdict(acknowledged=9)),
        ([(1, 2), (2, 2), (3, 2), (4, 0)], Verdict(acknowledged=9)),
        ([(1, 2), (2, 2)], Verdict(acknowledged=9, missing=1)),
        ([(1, 2), (2, 2), (3, 1)], Verdict(acknowledged=9, stale=1)),
        ([(1, 2), (2, 1), (3, 2)], Verdict(acknowledged=9, stale=1, out_of_order=1)),
        ([(1, 2), (3, 2), (2, 2)], Verdict(acknowledged=9, out_of_order=2)),
        ([(1, 2), (2, 2), (3, 2), (5, 0)], Verdict(acknowledged=9, out_of_order=1)),
        ([(1, 2), (2, 2), (3, 2), (3, 2)], Verdict(acknowledged=9, duplicated=1, out_of_order=1)),
    ],
)
def test_the_account_tells_what_is_lost_old_doubled_or_misplaced(
    kept: list[tuple[int, int]], verdict: Verdict
) -> None:
    assert judge(WRITTEN, {"t": [Kept(*step) for step in kept]}) == verdict


def test_a_refused_write_is_counted_and_need_not_be_there() -> None:
    notes = [*WRITTEN, Note("t", 4, 0, "JournalFullError")]
    kept = {"t": [Kept(number, 2) for number in (1, 2, 3)]}
    assert judge(notes, kept) == Verdict(acknowledged=9, refused=1)


def test_nothing_acknowledged_proves_nothing() -> None:
    assert not judge([], {"t": []}).flawless


def test_a_note_that_a_kill_cut_short_is_none(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.write(Note("t", 1, 0))
    with (tmp_path / "ledger").open("a") as file:
        file.write("t 2")
    assert list(read_notes(tmp_path / "ledger")) == [Note("t", 1, 0)]
