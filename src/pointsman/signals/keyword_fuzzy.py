"""Keywords despite typing errors: words of the text within an edit distance of a keyword.

The distance counts characters inserted, left out or exchanged (Levenshtein). Compared are as many
consecutive words as the keyword has.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from pointsman.signals.words import ends_of, joined, words

PAIRS: Final = 100_000
"""Comparisons one rule may cost, some 10 ms: of a text with more words, both ends are read."""
_LARGEST_DISTANCE = 10
"""Larger thresholds are percentages: a document that says 82 means how alike, not how different."""
_SHARE = 3
"""A keyword allows one error in so many characters, whatever the threshold: any two letters are two apart."""
_PLAIN = frozenset(" -'’")


class Near:
    """A group of keywords, any of which may be found."""

    def __init__(self, keywords: Iterable[str], threshold: int, *, case_sensitive: bool) -> None:
        self._by_size: dict[int, list[tuple[str, str, int]]] = {}
        for keyword in keywords:
            found = words(keyword if case_sensitive else keyword.casefold())
            errors = allowed(keyword, threshold)
            if found and errors:
                self._by_size.setdefault(len(found), []).append((keyword, joined(found), errors))
        count = sum(map(len, self._by_size.values()))
        self._limit = max(2, PAIRS // max(1, count))

    def first(self, found: Sequence[str]) -> str | None:
        """A keyword, as the document spells it, that some of the text's words nearly are."""
        read = ends_of(found, self._limit)
        for size, keywords in self._by_size.items():
            windows = windows_of(read, size)
            for keyword, literal, errors in keywords:
                if process.extractOne(literal, windows, scorer=Levenshtein.distance, score_cutoff=errors):
                    return keyword
        return None


def allowed(keyword: str, threshold: int) -> int:
    """How many errors a keyword allows; none where it holds symbols, which are searched literally."""
    if not all(character.isalnum() or character in _PLAIN for character in keyword):
        return 0
    if threshold > _LARGEST_DISTANCE:
        return len(keyword) * (100 - threshold) // 100
    return min(threshold, len(keyword) // _SHARE)


def windows_of(found: Sequence[str], size: int) -> tuple[str, ...]:
    """Every run of ``size`` words as one text, each once."""
    if size == 1:
        return tuple(dict.fromkeys(found))
    text, spans = joined(found), []
    at = 0
    for word in found:
        at += text[at] == " "
        spans.append((at, at + len(word)))
        at += len(word)
    pairs = zip(spans, spans[size - 1 :], strict=False)
    return tuple(dict.fromkeys(text[first[0] : last[1]] for first, last in pairs))
