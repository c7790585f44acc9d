from __future__ import annotations

from chainkeep.recent import Recent


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def kept(recent: Recent[str], name: str, value: str | None) -> None:
    recent.keep(name, value, recent.reading(name))


def test_a_value_is_kept_for_its_seconds_and_no_longer() -> None:
    clock = Clock()
    recent: Recent[str] = Recent(5, clock=clock)
    kept(recent, "a", "x")
    clock.now += 4.9
    assert recent.get("a") == "x"
    clock.now += 0.1
    assert recent.get("a") is None


def test_nothing_is_kept_for_no_seconds() -> None:
    recent: Recent[str] = Recent(0)
    kept(recent, "a", "x")
    assert recent.get("a") is None


def test_that_there_is_none_is_not_kept_and_ends_what_was() -> None:
    recent: Recent[str] = Recent(5)
    kept(recent, "a", "x")
    kept(recent, "a", None)
    assert recent.get("a") is None


def test_what_is_forgotten_while_it_is_read_is_not_kept() -> None:
    recent: Recent[str] = Recent(5)
    for forget in (lambda: recent.forget("a"), recent.forget_all):
        ticket = recent.reading("a")
        forget()
        recent.keep("a", "old", ticket)
        assert recent.get("a") is None


def test_of_two_reads_at_once_the_one_that_began_last_is_kept() -> None:
    recent: Recent[str] = Recent(5)
    first, last = recent.reading("a"), recent.reading("a")
    recent.keep("a", "old", first)
    recent.keep("a", "new", last)
    assert recent.get("a") == "new"


def test_the_oldest_go_first() -> None:
    recent: Recent[str] = Recent(5, most=2)
    for name in "abac":
        kept(recent, name, name)
    assert [recent.get(name) for name in "abc"] == ["a", None, "c"]
