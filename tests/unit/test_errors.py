"""The exceptions: one tree, and a message that says what to do."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from chainkeep import errors
from chainkeep.errors import ChainkeepError

ALL = [each for _, each in inspect.getmembers(errors, inspect.isclass)]

every_error = pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)


def tree(error: type[ChainkeepError]) -> Iterator[str]:
    yield error.__name__
    for below in error.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below)


@every_error
def test_every_error_is_one_of_ours(error: type[ChainkeepError]) -> None:
    assert issubclass(error, ChainkeepError)
    assert error.__name__.endswith("Error")


@every_error
def test_an_error_without_a_message_says_what_its_class_says(error: type[ChainkeepError]) -> None:
    assert str(error()) == inspect.getdoc(error)
    assert "\n" not in str(error())


@every_error
def test_an_error_with_a_message_says_that(error: type[ChainkeepError]) -> None:
    assert str(error("Thread t is gone.")) == "Thread t is gone."


def test_the_tree_at_the_top_of_the_page_is_the_tree_that_is_there() -> None:
    drawn = [line.split()[-1] for line in (errors.__doc__ or "").splitlines() if "Error" in line]
    drawn = [name for name in drawn if name.endswith("Error")]
    assert sorted(drawn) == sorted(tree(ChainkeepError))
