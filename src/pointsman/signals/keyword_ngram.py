"""Keywords by the character n-grams they share with as many consecutive words of the text.

A word is padded with a space less than an n-gram is long on either side, so that its edges count; a
character of a script without spaces is an n-gram by itself. Two texts share their common n-grams; the score
is that number as a share of all n-grams of both (Jaccard, with repetitions).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pointsman.signals.words import ends_of, is_character, words

PAIRS: Final = 100_000
"""Comparisons one rule may cost, some 10 ms: of a text with more words, both ends are read."""
_Ints = NDArray[np.int64]


class Ngrams:
    """Keywords and their n-grams."""

    def __init__(self, keywords: Sequence[str], arity: int, *, case_sensitive: bool) -> None:
        self._arity = arity
        split = [words(keyword if case_sensitive else keyword.casefold()) for keyword in keywords]
        self._keywords = tuple((len(each), _counted(each, arity)) for each in split)
        self._known = frozenset(gram for _, grams in self._keywords for gram in grams)
        self._limit = max(2, PAIRS // len(keywords))

    def scores(self, found: Sequence[str]) -> tuple[tuple[float, float], ...]:
        """For each keyword, twice, the score of the words most like it, 0 to 1."""
        read = ends_of(found, self._limit)
        if not read:
            return ((0.0, 0.0),) * len(self._keywords)
        text = _Text(read, self._arity, self._known)
        scores = (text.score(size, grams) for size, grams in self._keywords)
        return tuple((score, score) for score in scores)


class _Text:
    """Which of the known n-grams stand in which words."""

    def __init__(self, read: Sequence[str], arity: int, known: frozenset[str]) -> None:
        numbers = {word: number for number, word in enumerate(dict.fromkeys(read))}
        self._order = np.fromiter((numbers[word] for word in read), np.int64, len(read))
        self._places: dict[str, list[int]] = {}
        self._sizes = np.zeros(len(numbers), np.int64)
        for word, number in numbers.items():
            for gram in ngrams(word, arity):
                self._sizes[number] += 1
                if gram in known:
                    self._places.setdefault(gram, []).append(number)

    def score(self, size: int, grams: Counter[str]) -> float:
        """The best score of any run of ``size`` words (of all, if there are fewer)."""
        if self._places.keys().isdisjoint(grams):
            return 0.0
        common = np.zeros(1, np.int64)
        for gram, times in grams.items():
            if gram in self._places:
                counts = np.bincount(self._places[gram], minlength=len(self._sizes))
                common = common + np.minimum(self._runs(counts, size), times)
        union = self._runs(self._sizes, size) + grams.total() - common
        return float((common / union).max())

    def _runs(self, counts: _Ints, size: int) -> _Ints:
        """The sum of the counts over every run of ``size`` words; for single words, each once."""
        if size == 1:
            return counts
        sums = np.concatenate(([0], np.cumsum(counts[self._order])))
        reach = min(size, len(self._order))
        runs: _Ints = sums[reach:] - sums[:-reach]
        return runs


def ngrams(word: str, arity: int) -> Iterator[str]:
    """The n-grams of a word."""
    if is_character(word):
        yield word
        return
    padding = " " * (arity - 1)
    padded = f"{padding}{word}{padding}"
    for start in range(len(padded) - arity + 1):
        yield padded[start : start + arity]


def _counted(found: Sequence[str], arity: int) -> Counter[str]:
    return Counter(gram for word in found for gram in ngrams(word, arity))
