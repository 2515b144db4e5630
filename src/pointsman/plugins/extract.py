"""A text shortened to its most telling passages, in their order and their own words.

A passage counts for what it shares with the question (BM25), for being about what the whole text is about
(its terms are frequent there), and for standing first or last; the same again counts nothing. Time grows with
the length of the text, apart from one sorting.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from pointsman.core.tokens import BYTES_PER_TOKEN
from pointsman.plugins.passages import Passage, passages
from pointsman.plugins.terms import terms

NOTICE: Final = "[Shortened: passages were left out.]\n"
"""Tells the model that the text has gaps."""
QUESTION: Final = 0.5
TOPIC: Final = 0.3
PLACE: Final = 0.2
"""Shares of a passage's score."""
_K1, _B = 1.2, 0.75


class _Scored(msgspec.Struct, frozen=True):
    place: int
    cost: int
    """Tokens, with room for the line break that may have to follow."""
    score: float


def shortened(text: str, question: frozenset[str], target: int) -> str:
    """At most about ``target`` tokens of a text, chosen for the terms of a question.

    Blocks of code are kept. The text comes back as it was when it is short enough, when nothing but its code
    would be left, as in one that has no passages, and when the result would not be shorter. Shortening again
    changes nothing.
    """
    if _tokens(text) <= target:
        return text
    pieces = passages(text.removeprefix(NOTICE))
    fixed = _cost(NOTICE) + sum(_cost(piece.text) for piece in pieces if piece.code)
    kept = _chosen(pieces, question, target - fixed)
    if all(pieces[place].code for place in kept) and not all(piece.code for piece in pieces):
        return text
    result = NOTICE + _joined(pieces, kept)
    return result if len(result) < len(text) else text


def _chosen(pieces: Sequence[Passage], question: frozenset[str], budget: int) -> frozenset[int]:
    """Places of the code, and of the best passages that fit beside it."""
    kept = {place for place, piece in enumerate(pieces) if piece.code}
    for each in sorted(_scored(pieces, question), key=lambda each: (-each.score, each.place)):
        if each.cost <= budget:
            kept.add(each.place)
            budget -= each.cost
    return frozenset(kept)


def _scored(pieces: Sequence[Passage], question: frozenset[str]) -> list[_Scored]:
    found = [(place, terms(piece.text)) for place, piece in enumerate(pieces) if not piece.code]
    if not found:
        return []
    having = Counter(term for _, each in found for term in set(each))
    topic = Counter(term for _, each in found for term in each)
    commonest = max(topic.values(), default=1)
    average = sum(len(each) for _, each in found) / len(found) or 1.0
    answers = [_bm25(each, question, having, len(found), average) for _, each in found]
    best = max(answers) or 1.0
    seen: set[frozenset[str]] = set()
    scored = []
    for order, ((place, each), answer) in enumerate(zip(found, answers, strict=True)):
        distinct = frozenset(each)
        central = sum(topic[term] for term in distinct) / (commonest * len(distinct)) if distinct else 0.0
        edge = 1 / (1 + min(order, len(found) - 1 - order))
        score = QUESTION * answer / best + TOPIC * central + PLACE * edge
        scored.append(_Scored(place, _cost(pieces[place].text), 0.0 if distinct in seen else score))
        seen.add(distinct)
    return scored


def _bm25(
    found: Sequence[str], question: frozenset[str], having: Counter[str], count: int, average: float
) -> float:
    """How well a passage answers a question, among ``count`` of them with ``average`` terms."""
    shared = Counter(term for term in found if term in question)
    length = _K1 * (1 - _B + _B * len(found) / average)
    return sum(
        math.log1p((count - having[term] + 0.5) / (having[term] + 0.5)) * times * (_K1 + 1) / (times + length)
        for term, times in shared.items()
    )


def _joined(pieces: Sequence[Passage], kept: frozenset[int]) -> str:
    """The kept passages; a line whose end was left out still ends."""
    parts: list[str] = []
    broken = False
    for place, piece in enumerate(pieces):
        if place in kept:
            parts.append(piece.text)
            broken = not piece.text.endswith("\n")
        elif broken and piece.text.endswith("\n"):
            parts.append("\n")
            broken = False
    return "".join(parts)


def _cost(text: str) -> int:
    return -(-(len(text.encode("utf-8", "surrogatepass")) + 1) // BYTES_PER_TOKEN)


def _tokens(text: str) -> int:
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)
