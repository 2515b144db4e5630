"""A text as words: what approximate searches and densities count.

A word is a run of letters, marks and digits; of a script without spaces each character is one.
"""

from collections.abc import Sequence
from typing import Final

import re2

from pointsman.signals.scripts import UNSPACED_CLASS, is_unspaced

MAX_CHARACTERS: Final = 32_768
"""Of a longer text, the first and the last half of as many are read."""

_UNSPACED = re2.compile(f"([{UNSPACED_CLASS}])")
_WORD = re2.compile(r"[\pL\pM\pN\p{Pc}]+")


def words(text: str, *, limit: int = MAX_CHARACTERS) -> tuple[str, ...]:
    """The words of a text in order, as they are written; of a long one those of its two ends."""
    data = ends(text, limit).encode("utf-8", "replace")
    if not text.isascii():
        data = _UNSPACED.sub(rb" \1 ", data)
    return tuple(word.decode() for word in _WORD.findall(data))


def ends(text: str, limit: int) -> str:
    """The text, or the first and the last half of ``limit`` characters with a line between."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n{text[-half:]}"


def ends_of(found: Sequence[str], limit: int) -> tuple[str, ...]:
    """The words, or the first and the last half of ``limit`` of them."""
    half = limit // 2
    return tuple(found) if len(found) <= limit else (*found[:half], *found[-half:])


def joined(found: Sequence[str]) -> str:
    """Words as one text: a space between two, except where both are of a script without spaces."""
    if len(found) == 1:
        return found[0]
    parts: list[str] = []
    for word in found:
        if parts and not (is_character(parts[-1]) and is_character(word)):
            parts.append(" ")
        parts.append(word)
    return "".join(parts)


def is_character(word: str) -> bool:
    """Whether a word is a character of a script without spaces."""
    return len(word) == 1 and not word.isascii() and is_unspaced(word)
