"""Words around a number that say what it is."""

from typing import Any

import re2

from pointsman.pii.page import Page

_BEFORE, _AFTER = 48, 24
"""Characters looked at on either side: a short clause."""


class Context:
    """Words that speak for a reading of a number, and words that speak against it, separated by commas.

    A word of ASCII letters stands alone; a trailing `*` lets it go on (`phone*` finds `phones`). Of both
    kinds the word nearest before the value decides; words after it count only when none stands before,
    and not at all with `after` zero.
    """

    def __init__(self, clues: str, against: str = "", *, after: int = _AFTER) -> None:
        self._clues = _pattern(clues)
        self._after = after
        self._against = _pattern(against) if against else None

    def clue(self, page: Page, start: int, end: int) -> str:
        """The word that speaks for the span, in lower case; an empty string when none does."""
        before = page.before(start, _BEFORE).lower()
        place, word = _last(self._clues, before)
        if self._against is not None and _last(self._against, before)[0] > place:
            return ""
        if word:
            return word
        return _first(self._clues, page.after(end, self._after).lower())

    def contradicted(self, page: Page, start: int) -> bool:
        """Whether the nearest word before the value speaks against this reading."""
        if self._against is None:
            return False
        before = page.before(start, _BEFORE).lower()
        return _last(self._against, before)[0] > _last(self._clues, before)[0]


def _pattern(listed: str) -> Any:
    words = listed.split(", ")
    return re2.compile("|".join(_word(word) for word in sorted(words, key=len, reverse=True)))


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    escaped = re2.escape(stem)
    if not stem.isascii():
        return str(escaped)
    opening = r"\b" if stem[0].isalnum() else ""
    closing = r"\b" if word == stem and stem[-1].isalnum() else ""
    return f"{opening}{escaped}{closing}"


def _last(pattern: Any, text: str) -> tuple[int, str]:
    found = (-1, "")
    for match in pattern.finditer(text):
        found = (match.start(), match.group())
    return found


def _first(pattern: Any, text: str) -> str:
    match = pattern.search(text)
    return match.group() if match else ""
