"""Words and phrases in a text, as whole words in any script: where each occurs, and in which order.

A phrase that begins or ends with a letter of a script with spaces must not touch another such letter there.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from pointsman.signals.scripts import is_unspaced


def ends_at(text: str, phrase: str, start: int = 0) -> Iterator[int]:
    """The end of each occurrence from ``start`` on that does not overlap the one before."""
    before, after = _glues(phrase[0]), _glues(phrase[-1])
    at = text.find(phrase, start)
    while at >= 0:
        end = at + len(phrase)
        glued = (before and at > 0 and _glues(text[at - 1])) or (
            after and end < len(text) and _glues(text[end])
        )
        if not glued:
            yield end
        at = text.find(phrase, at + 1 if glued else end)


def occurs(text: str, phrase: str) -> bool:
    """Whether a phrase is in the text."""
    return next(ends_at(text, phrase), None) is not None


def in_order(text: str, phrases: Sequence[str]) -> bool:
    """Whether all phrases occur, each after the end of the one before."""
    position = 0
    for phrase in phrases:
        end = next(ends_at(text, phrase, position), None)
        if end is None:
            return False
        position = end
    return True


def _glues(character: str) -> bool:
    """Whether a character continues a word of a script with spaces."""
    if character.isascii():
        return character.isalnum() or character == "_"
    category = unicodedata.category(character)
    return (category[0] in "LMN" or category == "Pc") and not is_unspaced(character)
