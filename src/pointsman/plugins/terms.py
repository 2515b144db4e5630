"""A text as the terms that searches compare: words without endings, pairs of characters without spaces."""

import re
from typing import Final

MAX_CHARACTERS: Final = 1_048_576
"""What follows in a longer text is not read."""

_RUN: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = re.compile(r"([\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+)")
_ENDINGS: Final = ("ing", "ies", "es", "ed", "s")
_SHORTEST_STEM: Final = 3
_ENGLISH: Final = """
    a about an and any are as at be by can could d do does for from get give has have how i if in into is it
    its just let ll m make me my need no not of on or our out please re s so some t tell than that the their
    them there this to us was ve we were what when where which who why will with would you your
"""
_FUNCTION_WORDS: Final = frozenset(_ENGLISH.split())


def terms(text: str) -> list[str]:
    """The terms of a text in order, without English function words."""
    found: list[str] = []
    for run in _RUN.findall(text[:MAX_CHARACTERS].lower().replace("_", " ")):
        if run.isascii():
            if run not in _FUNCTION_WORDS:
                found.append(_stem(run))
            continue
        for part in _UNSPACED.split(run):
            if _UNSPACED.fullmatch(part):
                found.extend(_pairs(part))
            elif part:
                found.append(part)
    return found


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word


def _pairs(characters: str) -> list[str]:
    if len(characters) == 1:
        return [characters]
    return [characters[place : place + 2] for place in range(len(characters) - 1)]
