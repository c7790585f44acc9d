"""Text as the search compares it: without regard to case, or to how a character is put together."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category, normalize

__all__ = ["fold", "places"]


def fold(text: str) -> str:
    """``text`` such that two texts are the same in it when Unicode calls them a canonical caseless
    match (The Unicode Standard, D145); composed, so that *e* is no part of *é*.
    """
    if text.isascii():
        return text.lower()
    return normalize("NFC", normalize("NFD", text).casefold())


def places(text: str, folded_term: str) -> list[tuple[int, int]]:
    """Where in a text a folded term is: where each place begins and where it ends, none within
    another.

    What is several characters when folded, such as ß, is there whole where a part of it is.
    """
    folded = fold(text)
    if not folded_term or folded_term not in folded:
        return []
    if text.isascii():
        return list(_matches(folded, folded_term))
    return [
        (origin[begin][0], origin[end - 1][1])
        for origin in [list(_origins(text))]
        for begin, end in _matches(folded, folded_term)
        if end <= len(origin)
    ]


def _matches(folded: str, term: str) -> Iterator[tuple[int, int]]:
    begin = folded.find(term)
    while begin >= 0:
        yield begin, begin + len(term)
        begin = folded.find(term, begin + len(term))


def _origins(text: str) -> Iterator[tuple[int, int]]:
    """For each character of the folded text, the stretch of the text that it comes from."""
    begin = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not _joins(text[end]):
            yield from [(begin, end)] * len(fold(text[begin:end]))
            begin = end


def _joins(character: str) -> bool:
    """Whether a character may become one with what stands before it: marks, and Hangul's parts."""
    return category(character).startswith("M") or "\u1160" <= character <= "\u11ff"
