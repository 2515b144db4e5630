"""A text as words: what approximate searches and densities count.

A word is a run of letters, marks and digits; of a script without spaces each character is one.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from pointsman.signals.scripts import UNSPACED

MAX_CHARACTERS: Final = 32_768
"""Of a longer text, the first and the last half of as many are read."""

_JOINING = "".join(
    chr(point)
    for point in range(0x300, 0x1E944)
    if unicodedata.category(chr(point)) in {"Mn", "Mc", "Me", "Pc"}
)
"""Combining marks and connecting punctuation, which are within words."""
_BLOCKS = "".join(f"{chr(low)}-{chr(high)}" for low, high in UNSPACED)
# Alternatives begin with different characters, so the search is linear; and the standard library is 30 times
# faster here than RE2, which makes an object of each word.
_WORD: Final = re.compile(f"[{_BLOCKS}]|(?:[^\\W{_BLOCKS}]|[{_JOINING}])+")
_CHARACTER: Final = re.compile(f"[{_BLOCKS}]")
_ASCII_WORD: Final = re.compile(r"\w+")


def words(text: str, *, limit: int = MAX_CHARACTERS) -> tuple[str, ...]:
    """The words of a text in order, as they are written; of a long one those of its two ends."""
    read = ends(text, limit)
    return tuple((_ASCII_WORD if read.isascii() else _WORD).findall(read))


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
    parts = [found[0]] if found else []
    dense = bool(found) and is_character(found[0])
    for word in found[1:]:
        before, dense = dense, is_character(word)
        parts.append(word if before and dense else f" {word}")
    return "".join(parts)


def is_character(word: str) -> bool:
    """Whether a word is a character of a script without spaces."""
    return _CHARACTER.fullmatch(word) is not None
