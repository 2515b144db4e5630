"""Scripts that put no space between words, or whose words take endings without one."""

from typing import Final

UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0xA4CF),  # radicals, kana, Bopomofo, Han, Yi
    (0xA960, 0xA97F),  # Hangul letters
    (0xAC00, 0xD7FF),  # Hangul syllables: particles follow a word without a space
    (0xF900, 0xFAFF),  # Han, compatibility forms
    (0xFF66, 0xFFDC),  # half-width kana and Hangul
    (0x1AFF0, 0x1B16F),  # kana
    (0x20000, 0x3FFFF),  # Han
)
"""First and last code point of each block."""

UNSPACED_CLASS: Final = "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in UNSPACED)
"""The blocks as they stand within a character class of RE2."""


def is_unspaced(character: str) -> bool:
    """Whether a character is of such a script."""
    return any(low <= ord(character) <= high for low, high in UNSPACED)
