"""How well a typed query matches a name: fuzzy, and deaf to spelling."""

from __future__ import annotations

import re
from functools import lru_cache

SPELLINGS = (
    ("colour", "color"),
    ("grey", "gray"),
    ("centre", "center"),
    ("normalis", "normaliz"),
    ("labell", "label"),
    ("×", "x"),
    ("∂²", "d2"),
    ("∂", "d"),
    ("σ", "sigma"),
    ("–", "-"),
    ("…", ""),
)
"""Spellings that mean the same, and signs that no key types."""
_WORD = re.compile(r"[^\W_]+")
_WHOLE, _START, _INSIDE, _INITIALS, _SCATTERED = 100.0, 80.0, 50.0, 45.0, 10.0


@lru_cache(maxsize=8192)
def normal(text: str) -> str:
    """The text as it is compared: lower case, one spelling."""
    text = text.casefold()
    for one, other in SPELLINGS:
        text = text.replace(one, other)
    return text


def score(query: str, title: str, also: str = "") -> float | None:
    """How well a query fits; None: not at all.

    Parameters
    ----------
    query
        Words in any order; each has to be found.
    title
        Where a find counts most.
    also
        Other names and what stands beside the title; a find here counts half.
    """
    total = 0.0
    name, rest = normal(title), normal(also)
    for word in normal(query).split():
        here = _fit(word, name, scattered=True)
        there = _fit(word, rest, scattered=False)
        best = max(here, there / 2)
        if not best:
            return None
        total += best
    return total - min(len(name), 80) / 20


def _fit(word: str, text: str, *, scattered: bool) -> float:
    """Points for a word in a text; 0 where it is not there."""
    place = text.find(word)
    if place >= 0:
        starts = [match.start() for match in _WORD.finditer(text)]
        if any(text.startswith(word, start) for start in starts):
            ends = re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text)
            return _WHOLE if ends else _START
        return _INSIDE
    if len(word) < 2:
        return 0.0
    initials = "".join(found.group()[0] for found in _WORD.finditer(text))
    if word in initials:
        return _INITIALS
    return _spread(word, text) if scattered else 0.0


def _spread(word: str, text: str) -> float:
    """Points for letters that come in the right order, the closer the more."""
    first = last = text.find(word[0])
    if first < 0:
        return 0.0
    for letter in word[1:]:
        last = text.find(letter, last + 1)
        if last < 0:
            return 0.0
    span = last - first + 1
    return _SCATTERED * len(word) / span if span <= 3 * len(word) else 0.0
