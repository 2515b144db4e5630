"""Keywords as the documents of a small index, ranked by BM25 with the text as the query.

Terms are words without a plural ending, and of scripts without spaces each two adjacent characters. Function
words of English count only in keywords made of nothing else. A term of the query counts once, so that long
texts score no higher than short ones.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final

from pointsman.signals.words import is_character, words

K1: Final = 1.2
"""How soon a repeated term stops adding to the score."""
B: Final = 0.75
"""How much the length of a keyword counts against it."""
_ENGLISH = """
a an and are as at be by do does for from has have how i if in into is it its me my no not of on or so that
the their then there they this to was we were what when where which who why will with you your
"""
_FUNCTION_WORDS = frozenset(_ENGLISH.split())


class Bm25:
    """An index of keywords."""

    def __init__(self, keywords: Sequence[str], *, case_sensitive: bool) -> None:
        documents = [
            Counter(_without_function_words(terms(words(each if case_sensitive else each.casefold()))))
            for each in keywords
        ]
        frequency = Counter(term for document in documents for term in document)
        mean = sum(document.total() for document in documents) / len(documents) or 1.0
        rarity = {
            term: math.log(1 + (len(documents) - count + 0.5) / (count + 0.5))
            for term, count in frequency.items()
        }
        self._weights = tuple(
            {
                term: rarity[term] * times * (K1 + 1) / (times + K1 * (1 - B + B * document.total() / mean))
                for term, times in document.items()
            }
            for document in documents
        )
        self._best = tuple(sum(weights.values()) or 1.0 for weights in self._weights)

    def scores(self, found: Sequence[str]) -> tuple[tuple[float, float], ...]:
        """For each keyword its BM25 score, and the same as a share of the most it can get."""
        query = frozenset(terms(found))
        scores = (
            sum(weight for term, weight in weights.items() if term in query) for weights in self._weights
        )
        return tuple((score, min(1.0, score / best)) for score, best in zip(scores, self._best, strict=True))


def terms(found: Sequence[str]) -> Iterator[str]:
    """The terms of words, in order."""
    for unspaced, run in groupby(found, is_character):
        group = list(run)
        if not unspaced:
            yield from map(_singular, group)
        elif len(group) == 1:
            yield group[0]
        else:
            yield from (one + other for one, other in pairwise(group))


def _singular(word: str) -> str:
    """An English word without its plural ending; other words rarely change, and then in both texts alike."""
    lower = word.lower()
    if lower.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if lower.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if lower.endswith("s") and len(word) > 3 and not lower.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_function_words(found: Iterator[str]) -> list[str]:
    every = list(found)
    return [term for term in every if term.lower() not in _FUNCTION_WORDS] or every
