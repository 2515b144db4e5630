"""A text as passages that can be left out one by one: sentences and lines; blocks of code stay whole."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

SHORT_LINE: Final = 80
"""Characters up to which a line is one passage: a heading, an entry of a list, a row of a table."""

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_INNER_FENCE: Final = re.compile(r"```|~~~")
"""In a line of prose: were its beginning left out, the rest would open a block of code."""
_SENTENCE: Final = re.compile(r".+?(?:[.!?…]+[\"')\]»”’]*(?=\s)|[。！？；｡]+[」』”’）]*|$)\s*", re.DOTALL)


class Passage(msgspec.Struct, frozen=True):
    """A piece of a text with the white space after it; all pieces together are the text."""

    text: str
    code: bool = False
    """Part of a block of code, which makes no sense in parts."""


def passages(text: str) -> list[Passage]:
    """The pieces of a text, in order."""
    found: list[Passage] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        opened = _FENCE.match(line)
        if fence or opened:
            found.append(Passage(line, code=True))
            if not fence and opened:
                fence = opened[1]
            elif opened and opened[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif len(line) <= SHORT_LINE or _INNER_FENCE.search(line):
            found.append(Passage(line))
        else:
            found.extend(_sentences(line))
    return found


def _sentences(line: str) -> Iterator[Passage]:
    for match in _SENTENCE.finditer(line):
        yield Passage(match[0])
