"""Other ways to read a text that was written so as not to be read: encoded, spaced out, mirrored.

Every test is cheap and linear, and a text without disguise has no other reading, so it costs no further pass.
What comes out is bounded, however much went in. People decode such texts seldom; models do it at once, which
is why attacks are written so.
"""

import base64
import binascii
import codecs
import re
from dataclasses import dataclass

LONGEST = 4000
"""Characters of one reading."""
MOST = 6
"""Readings of one text."""
_RUNS = 16
"""Encoded stretches looked at in one text."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){16,}")
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_SPACED = re.compile(r"(?<!\w)\w(?:[ ._*|-]{1,3}\w(?!\w)){7,}")
_SEPARATOR = re.compile(r"(?<=\w)[ ._*|-](?=\w)")
_LEET_WORD = re.compile(
    r"(?<![\w@$!+/=])(?=[\w@$!]*[A-Za-z])(?=[\w@$!]*[013457@$])[A-Za-z013457@$!]{2,24}(?![\w@$!+/=])"
)
_LEET = str.maketrans("013457@$!", "oieastasi")
_FEW_LEET = 3
_WORDS = (
    *("the", "you", "your", "all", "and", "are", "not", "with", "from", "now", "this", "without", "answer"),
    *("ignore", "instructions", "rules", "previous", "system", "prompt"),
)
_MIRRORED = re.compile(rf"\b(?:{'|'.join(word[::-1] for word in _WORDS)})\b", re.IGNORECASE)
_ROTATED = re.compile(rf"\b(?:{'|'.join(codecs.encode(word, 'rot13') for word in _WORDS)})\b", re.IGNORECASE)
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stretch of a text says when it is decoded."""

    text: str
    start: int
    """First character of the stretch, counted in the text as it was given."""

    end: int
    """One past its last."""

    instead: bool = False
    """Whether it says all that the text says, so that the text as written need not count: letters apart
    look like an attack whatever they spell."""


def readings(text: str) -> tuple[Reading, ...]:
    """Every other reading; none for ordinary texts."""
    found = [*_encoded(text), *_tagged(text), *_spaced(text), *_substituted(text), *_transposed(text)]
    return tuple(found[:MOST])


def _encoded(text: str) -> list[Reading]:
    found = []
    for pattern, decode in ((_BASE64, _from_base64), (_HEX, _from_hex)):
        for number, hit in enumerate(pattern.finditer(text)):
            if number == _RUNS:
                break
            plain = _as_text(decode(hit[0][: 2 * LONGEST]))
            if plain:
                whole = hit[0].strip() == text.strip() and len(hit[0]) <= LONGEST
                found.append(Reading(plain[:LONGEST], hit.start(), hit.end(), instead=whole))
    return found


def _from_base64(run: str) -> bytes:
    plain = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain[: len(plain) // 4 * 4] + _padded(plain[len(plain) // 4 * 4 :]))
    except (binascii.Error, ValueError):
        return b""


def _padded(rest: str) -> str:
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""


def _from_hex(run: str) -> bytes:
    try:
        return bytes.fromhex(run.replace(":", " "))
    except ValueError:
        return b""


def _as_text(data: bytes) -> str:
    """Bytes as a sentence, or nothing: most runs that could be an encoding are none."""
    # A run cut short may end within a letter.
    text = data.decode("utf-8", "ignore") if len(data) >= 12 else ""
    lost = len(data) - len(text.encode())
    printable = sum(character.isprintable() or character in "\n\t" for character in text)
    return text if lost <= 3 and printable == len(text) and " " in text.strip() else ""


def _tagged(text: str) -> list[Reading]:
    if text.isascii():
        return []
    hits = list(_TAGS.finditer(text))[:_RUNS]
    if not hits:
        return []
    hidden = " ".join("".join(chr(ord(character) - 0xE0000) for character in hit[0]) for hit in hits)
    return [Reading(hidden[:LONGEST], hits[0].start(), hits[-1].end())]


def _spaced(text: str) -> list[Reading]:
    """``i g n o r e  a l l``: one space within a word, more between words."""
    hits = list(_SPACED.finditer(text))[:_RUNS]
    if not hits:
        return []
    joined = _SPACED.sub(
        lambda hit: re.sub(r"[ ._*|-]{2,}", " ", _SEPARATOR.sub("", hit[0])),
        text[hits[0].start() : hits[0].start() + 2 * LONGEST],
    )
    whole = len(text) <= LONGEST and hits[0].start() == 0
    return [Reading(joined[:LONGEST], hits[0].start(), hits[-1].end(), instead=whole)]


def _substituted(text: str) -> list[Reading]:
    """Digits and signs in the place of letters."""
    hits = []
    for hit in _LEET_WORD.finditer(text):
        hits.append(hit)
        if len(hits) == _FEW_LEET:
            break
    if len(hits) < _FEW_LEET:
        return []
    start = max(0, hits[0].start() - 200)
    stretch = text[start : start + LONGEST]
    folded = _LEET_WORD.sub(lambda hit: hit[0].translate(_LEET), stretch)
    return [Reading(folded, start, start + len(stretch), instead=len(stretch) == len(text))]


def _transposed(text: str) -> list[Reading]:
    """Written backwards, or with the alphabet shifted by half."""
    found = []
    for pattern, mirrored in ((_MIRRORED, True), (_ROTATED, False)):
        hits = list(pattern.finditer(text[: 64 * LONGEST]))
        if len(hits) < _FEW_WORDS:
            continue
        start = max(0, hits[0].start() - 200)
        stretch = text[start : start + LONGEST]
        plain = stretch[::-1] if mirrored else codecs.encode(stretch, "rot13")
        found.append(Reading(plain, start, start + len(stretch)))
    return found
