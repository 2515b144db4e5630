"""A text made ready for searching: what people see, with offsets that lead back to what was sent."""

from array import array
from collections.abc import Iterator
from typing import Any

from pointsman.pii.finding import Finding

Span = tuple[int, int]

_IGNORED = (0xAD, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
"""Code points nobody sees: soft hyphen, zero-width and direction marks. Digits are hidden between them."""
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE63), "-")
_QUOTES = dict.fromkeys((0x2018, 0x2019, 0x02BC), "'")
_FOLD: dict[int, Any] = {**_WIDE, **_SPACES, **_DASHES, **_QUOTES}
_HIDE: dict[int, Any] = dict.fromkeys(_IGNORED)
_UNSPACED = 0x2E80
"""From here on, scripts that put no space between words: such a character bounds a number or a Latin word."""


class Page:
    """A text, and the plain form in which it is searched.

    Full-width digits, typographic dashes and unusual spaces become ASCII; what is invisible disappears.
    Recognisers speak in offsets of `plain`; `placed` turns them into offsets of the text.
    """

    def __init__(self, text: str) -> None:
        self._kept: array[int] | None = None
        if text.isascii():
            self.plain = text
            self._subject: str | bytes = text.encode()
            return
        # Half a surrogate pair is no text; as "?" it keeps every offset.
        whole = text.encode("utf-8", "replace").decode()
        seen = whole.translate(_HIDE)
        if len(seen) < len(whole):
            self._kept = array("L", (at for at, char in enumerate(whole) if ord(char) not in _HIDE))
        self.plain = seen.translate(_FOLD)
        self._subject = self.plain.encode() if self.plain.isascii() else self.plain

    def hits(self, pattern: Any, group: int | str = 0) -> Iterator[Span]:
        """Where an RE2 pattern matches, as spans of a group that took part; never empty ones."""
        for match in pattern.finditer(self._subject):
            start, end = match.span(group)
            if 0 <= start < end:
                yield start, end

    def alone(self, start: int, end: int) -> bool:
        """Whether no letter, digit or underscore touches the span on either side."""
        return not (self._joins(start - 1) or self._joins(end))

    def before(self, at: int, length: int) -> str:
        """Up to `length` characters before an offset."""
        return self.plain[max(0, at - length) : at]

    def after(self, at: int, length: int) -> str:
        """Up to `length` characters from an offset on."""
        return self.plain[at : at + length]

    def placed(self, finding: Finding) -> Finding:
        """Give the finding in offsets of the text itself."""
        if self._kept is None:
            return finding
        start, end = self._kept[finding.start], self._kept[finding.end - 1] + 1
        return Finding(finding.label, start, end, finding.score, finding.evidence)

    def _joins(self, at: int) -> bool:
        if not 0 <= at < len(self.plain):
            return False
        char = self.plain[at]
        return char == "_" or (char.isalnum() and ord(char) < _UNSPACED)
