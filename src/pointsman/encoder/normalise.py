"""Reading a text as people would: compatibility forms resolved, hidden characters gone, disguises undone.

Every rewritten character keeps its place in the original text, so that what is found can be shown, masked or
cut out there. The work is linear in the text: Python's own normalisation sorts runs of combining marks in
quadratic time, so runs are capped before it sees them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pointsman.encoder.homoglyphs import fold

MARKS = 8
"""Combining marks kept on one letter; Vietnamese needs two, Hebrew with cantillation five."""

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Unicode's default ignorable characters, and the annotation marks: what no reader sees."""

_HIDING = re.compile(
    "(?<=[A-Za-z0-9])[\u00ad\u034f\u180b-\u180f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]+(?=[A-Za-z0-9])"
    "|[\u202d\u202e\U000e0020-\U000e007e]"
)
"""Invisible characters inside a word, forced directions, and tags that spell hidden letters."""

_PLAIN = (
    "\u0000-\u009f\u00bf-\u0131\u014a-\u017e\u0180-\u01c3\u0250-\u02af\u03a3-\u03cf\u0400-\u0482\u048a-\u052f"
    "\u0561-\u0586\u05d0-\u05ea\u0620-\u064a\u0904-\u0928\u0e01-\u0e30\u10d0-\u10fb\u1ea0-\u1ef9\u2010\u2012-"
    "\u2015\u2018-\u2023\u3001-\u3029\u3041-\u3096\u30a0-\u30fe\u3400-\u9fff\uac00-\ud7a3\U0001f300-\U0001f6d7"
)
"""Characters that normalisation leaves alone and that never join the one before them."""

_UNPLAIN = re.compile(f"[^{_PLAIN}]+")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")

_JOINING = frozenset(
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e\u1b35"
    "\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
    + "".join(map(chr, [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))
)
"""Letters of combining class zero that still compose with the one before them, Hangul vowels included."""

Edit = tuple[int, int, str]
"""A stretch of a text, from and to, and what replaces it."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """A rewritten text that remembers where everything in it came from."""

    text: str
    changed: bool
    disguised: bool
    """True when the change looks like an attempt to be misread, not like typography."""

    starts: tuple[int, ...] | None = None
    """Where the original of each character begins, never decreasing; None when nothing moved."""

    ends: tuple[int, ...] | None = None
    """One past where it ends, never decreasing."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Give the stretch of the original text that became `text[start:end]`; empty stays empty."""
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            place = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return place, place
        return self.starts[start], self.ends[end - 1]


def normalise(text: str) -> Normalised:
    """Normalise a text; plain ASCII comes back as it is."""
    if text.isascii():
        return Normalised(text, changed=False, disguised=False)
    found = Normalised(text, changed=False, disguised=_HIDING.search(text) is not None)
    found = _rewritten(found, _unpaired(text))
    found = _rewritten(found, [(hit.start(), hit.end(), "") for hit in INVISIBLE.finditer(found.text)])
    found = _composed(found)
    folded = fold(found.text)
    if folded == found.text:
        return found
    # A folded letter may now compose with the mark behind it.
    return _composed(Normalised(folded, changed=True, disguised=True, starts=found.starts, ends=found.ends))


def _unpaired(text: str) -> list[Edit]:
    """Join surrogate pairs and replace lone surrogates, which JSON escapes can smuggle into a string."""
    return [
        (hit.start(), hit.end(), hit[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
        for hit in _SURROGATES.finditer(text)
    ]


def _composed(found: Normalised) -> Normalised:
    """Apply NFKC letter by letter (a letter with its marks), and cap the marks."""
    edits: list[Edit] = []
    capped = False
    for start, end in _letters(found.text):
        letter = found.text[start:end]
        kept, whole = _capped("".join(unicodedata.normalize("NFKD", character) for character in letter))
        capped |= not whole
        plain = unicodedata.normalize("NFKC", kept)
        if plain != letter:
            edits.append((start, end, plain))
    rewritten = _rewritten(found, edits)
    if not capped:
        return rewritten
    return Normalised(
        rewritten.text, changed=True, disguised=True, starts=rewritten.starts, ends=rewritten.ends
    )


def _letters(text: str) -> Iterator[tuple[int, int]]:
    """Find each letter that normalisation may change, together with everything that joins it."""
    for run in _UNPLAIN.finditer(text):
        start = run.start()
        if start and _joins(text[start]):
            start -= 1
        for place in range(start + 1, run.end()):
            if not _joins(text[place]):
                yield start, place
                start = place
        yield start, run.end()


def _joins(character: str) -> bool:
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(first) != 0 or first in _JOINING


def _capped(letter: str) -> tuple[str, bool]:
    """Keep the first marks of each run; tells whether that was all of them."""
    if len(letter) <= MARKS:
        return letter, True
    kept: list[str] = []
    marks = 0
    for character in letter:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept), len(kept) == len(letter)


def _rewritten(found: Normalised, edits: list[Edit]) -> Normalised:
    """Apply edits, which are in order and do not overlap; what replaces a stretch stands for all of it."""
    if not edits:
        return found
    old = found.text
    before = range(len(old)) if found.starts is None else found.starts
    after = range(1, len(old) + 1) if found.ends is None else found.ends
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, new in edits:
        parts += (old[done:start], new)
        starts += before[done:start]
        ends += after[done:start]
        starts += [before[start]] * len(new)
        ends += [after[end - 1]] * len(new)
        done = end
    parts.append(old[done:])
    starts += before[done:]
    ends += after[done:]
    return Normalised(
        "".join(parts), changed=True, disguised=found.disguised, starts=tuple(starts), ends=tuple(ends)
    )
