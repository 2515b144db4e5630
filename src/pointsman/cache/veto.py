"""What keeps two questions apart that look alike: numbers, negations, opposites, names, order, topics.

A vector says what two texts are about, and hardly what they ask: "the square of 12" and "the square of 13"
have a cosine above 0.9. These checks read the words. They are cheap and err to one side: a veto costs a hit,
never a wrong answer.
"""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from typing import Final

import msgspec

from pointsman.cache.words import (
    COMMON,
    FRAME,
    MEASURES,
    NEGATIONS,
    NEGATIVE_SIGNS,
    NUMBERS,
    NUMERALS,
    OPPOSITES,
)

_TOKEN: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SIGN: Final = re.compile(r"[+*/^=<>%$€£¥]|-(?=\s?[\d(]|\s?[a-z]\b)")
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_QUOTED: Final = re.compile(r"[\"\u201c\u201d`«»]([^\"\u201c\u201d`«»]{1,200})[\"\u201c\u201d`«»]")
_IDENTIFIER: Final = re.compile(r"\w*(?:[a-z][A-Z]|_|\d[A-Za-z]|[A-Za-z]\d)\w*|\w+\(\)|\.\w+")
_SENTENCE: Final = re.compile(r"[.!?:\n]\s*$")
_IDEOGRAPH: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_ENDINGS: Final = ("ings", "ing", "ies", "ed", "es", "ly", "s", "e", "y")
_POLITE: Final = frozenset({("will", "you"), ("was", "wondering")})
_STEM: Final = 4


class Check(StrEnum):
    """How closely the words are compared."""

    STRICT = "strict"
    """Both questions have the same words that carry a topic."""
    LOOSE = "loose"
    """They may differ in these, though not in numbers, negations, opposites, names and their order."""
    OFF = "off"
    """The vectors alone decide."""


class Veto(StrEnum):
    """Why an entry is not the answer though its question is similar."""

    NUMBER = "number"
    NEGATION = "negation"
    OPPOSITE = "opposite"
    FRAME = "frame"
    """What is asked of the topic: when, where, who, why, how many; should, will, was; mine, yours."""
    NAME = "name"
    ORDER = "order"
    TOPIC = "topic"


class Marks(msgspec.Struct, frozen=True):
    """What a question is told apart by."""

    numbers: tuple[str, ...]
    """In their order, and the signs between them."""
    negations: int
    sides: tuple[tuple[int, int], ...]
    """Pairs of opposites, by number, and the side it is on, in the order of the words."""
    frame: frozenset[str]
    """What is asked of the topics."""
    names: frozenset[str]
    """Capitalised words within a sentence, identifiers and quoted text, in lower case."""
    words: frozenset[str]
    """Every word, in lower case."""
    topics: tuple[str, ...]
    """What is left of words that carry a topic without their endings, in order, each once."""


def marks_of(text: str) -> Marks:
    """Read a question once."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    lowered = plain.lower()
    tokens = [(hit[0], hit.start()) for hit in _TOKEN.finditer(plain)]
    words = [token.lower() for token, _ in tokens]
    names = {
        word
        for (token, start), word in zip(tokens, words, strict=True)
        if token[0].isupper() and start and word not in COMMON and not _SENTENCE.search(plain[:start])
    }
    names |= {hit[0].lower() for hit in _IDENTIFIER.finditer(plain)}
    names |= {hit[1].lower().strip() for hit in _QUOTED.finditer(plain)}
    return Marks(
        numbers=tuple(_numbers(lowered)),
        negations=_negations(lowered, words),
        sides=tuple(
            side for word in words for side in OPPOSITES.get(word, OPPOSITES.get(_singular(word), ()))
        ),
        frame=frozenset(_frame(words)),
        names=frozenset(names),
        words=frozenset(words),
        topics=tuple(dict.fromkeys(_topics(words))),
    )


def differ(  # noqa: PLR0911  # one return a rule
    asked: Marks, kept: Marks, check: Check = Check.STRICT
) -> Veto | None:
    """The first thing in which two questions differ, if any."""
    if check is Check.OFF:
        return None
    if asked.numbers != kept.numbers:
        return Veto.NUMBER
    if asked.negations != kept.negations:
        return Veto.NEGATION
    if _opposed(asked.sides, kept.sides):
        return Veto.OPPOSITE
    if asked.frame != kept.frame:
        return Veto.FRAME
    if not (_within(asked.names, kept) and _within(kept.names, asked)):
        return Veto.NAME
    if [word for word in asked.topics if word in kept.topics] != [
        word for word in kept.topics if word in asked.topics
    ]:
        return Veto.ORDER
    if check is Check.STRICT and not _same_topics(asked.topics, kept.topics):
        return Veto.TOPIC
    return None


def _opposed(some: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> bool:
    """Whether both are about a pair, and not on the same sides of it in the same order."""
    shared = {pair for pair, _ in some} & {pair for pair, _ in others}
    return any(_turns(pair, some) != _turns(pair, others) for pair in shared)


def _turns(pair: int, sides: tuple[tuple[int, int], ...]) -> list[int]:
    """On which sides of a pair a text is, in order; twice in a row counts once."""
    return [side for side, _ in groupby(side for at, side in sides if at == pair)]


def _within(names: frozenset[str], other: Marks) -> bool:
    return all(
        name in other.words or name in other.names or any(_alike(name, word) for word in other.words)
        for name in names
    )


def _same_topics(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether all are shared, but for slips of the pen."""
    mine = [word for word in some if word not in others]
    theirs = [word for word in others if word not in some]
    return len(mine) == len(theirs) and all(map(_alike, mine, theirs))


def _numbers(lowered: str) -> list[str]:
    found = [(hit.start(), hit[0].replace(",", "").rstrip(".:")) for hit in _NUMBER.finditer(lowered)]
    found += [(hit.start(), NUMBERS[hit[0]]) for hit in _TOKEN.finditer(lowered) if hit[0] in NUMBERS]
    found += [(hit.start(), hit[0]) for hit in _SIGN.finditer(lowered)]
    found += [(at, sign) for at, sign in enumerate(lowered) if sign in NUMERALS]
    return [number for _, number in sorted(found)]


def _negations(lowered: str, words: list[str]) -> int:
    spoken = sum(word in NEGATIONS or word.endswith("n't") for word in words)
    return spoken + sum(lowered.count(sign) for sign in NEGATIVE_SIGNS)


def _frame(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        bare = word.replace("'", "")
        kind = FRAME.get(bare) or FRAME.get(bare.removesuffix("s").removesuffix("d"))
        if kind and (word, following) not in _POLITE:
            yield kind
        elif word == "how" and following in MEASURES:
            yield f"how {following}"


def _topics(words: list[str]) -> list[str]:
    found = []
    for word in words:
        bare = word.removesuffix("'s").replace("'", "")
        if _IDEOGRAPH.search(bare):
            # Written without spaces: pairs of signs stand for words.
            found += [bare[at : at + 2] for at in range(max(1, len(bare) - 1))]
        elif len(bare) > 1 and bare not in COMMON and not bare.isdigit():
            found.append(_stem(bare))
    return found


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > _STEM else word


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _STEM:
            return word.removesuffix(ending)
    return word


def _alike(one: str, other: str) -> bool:
    """Whether the second is the first with two letters swapped, or one doubled, in a word long enough.

    Nothing more: a letter changed or added makes another word too often (alkane, alkene; ethane, methane).
    """
    short, long = sorted((one, other), key=len)
    if len(short) < _STEM + 1 or len(long) - len(short) > 1 or short[0] != long[0]:
        return False
    at = next((at for at, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) == len(long):
        return short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return long[at] == long[at - 1] and short[at:] == long[at + 1 :]
