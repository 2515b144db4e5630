"""A message's text shortened in a way that keeps what it is: prose stays prose, JSON stays JSON.

What looks like data but cannot be parsed is left alone, and so is markup.
"""

import re
from typing import Final

import msgspec

from pointsman.core.tokens import estimate_tokens
from pointsman.plugins.extract import shortened

MAX_CHARACTERS: Final = 2**20
"""A longer text is left alone: reading it would take more time than a request has."""
STRING_SHARE: Final = 8
"""A string within JSON is cut to this part of the target."""
LEAST_STRING: Final = 48

_DATA: Final = re.compile(r'\s*(?:\{|\[\s*[\[{"\]]|<)')
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"(?!\s*:)', re.DOTALL)


def compressed(text: str, question: frozenset[str], target: int) -> str:
    """The text in about ``target`` tokens, or longer where that is not possible; never longer than it was."""
    if len(text) > MAX_CHARACTERS or estimate_tokens(text) <= target:
        return text
    if not _DATA.match(text):
        return shortened(text, question, target)
    return _compressed_json(text, question, max(LEAST_STRING, target // STRING_SHARE))


def _compressed_json(text: str, question: frozenset[str], target: int) -> str:
    """JSON with its long strings shortened; numbers, keys and layout stay to the letter."""
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return text

    def replaced(match: re.Match[str]) -> str:
        written = match[0]
        if len(written) <= target:
            return written
        value = msgspec.json.decode(written, type=str)
        if _DATA.match(value):
            return written
        short = msgspec.json.encode(shortened(value, question, target)).decode()
        return short if len(short) < len(written) else written

    return _STRING.sub(replaced, text)
