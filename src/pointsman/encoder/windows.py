"""Cutting a whole text into small overlapping windows, within a budget.

A guard must see one bad sentence in a long document. Cutting the text short or averaging over it hides the
sentence; the maximum over small windows does not. Small windows are cheaper too, attention being quadratic.
"""

from dataclasses import dataclass

WINDOW = 64
"""Word pieces of one window, its two markers included."""

BODY = WINDOW - 2
STRIDE = WINDOW * 7 // 8 - 2
"""Pieces from one window to the next: an eighth is read twice, so that no name is only seen in halves."""

SLICE = 1024
"""Characters of one slice of a text too long to be tokenised whole."""

CHARACTERS_PER_TOKEN = 8
"""About twice what European prose needs, so the token budget and not this decides for ordinary text."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of the text as it was given."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces `start` to `end` of one slice."""

    slice: int
    start: int
    end: int


def sliced(text: str, *, tokens: int) -> tuple[Slice, ...]:
    """Cut a text to what a budget of tokens can be spent on: itself, or even slices with both ends kept."""
    room = tokens * CHARACTERS_PER_TOKEN
    if len(text) <= room:
        return (Slice(0, text),)
    size = min(SLICE, room // 2)
    starts = spread(len(text) - size + 1, room // size)
    return tuple(Slice(start, text[start : start + size]) for start in starts)


def windows(lengths: list[int]) -> tuple[Window, ...]:
    """Cover slices of these many pieces; the last window of a slice is moved back to be a full one."""
    found: list[Window] = []
    for number, length in enumerate(lengths):
        last = max(0, length - BODY)
        starts = [*range(0, last, STRIDE), last]
        found += [Window(number, start, min(start + BODY, length)) for start in starts]
    return tuple(found)


def within(found: tuple[Window, ...], *, tokens: int) -> tuple[Window, ...]:
    """Keep what the budget allows, spread evenly, the first and the last always among it."""
    count = max(2, tokens // WINDOW)
    return found if len(found) <= count else tuple(found[place] for place in spread(len(found), count))


def spread(size: int, count: int) -> list[int]:
    """Give `count` (at least 2) different places from 0 to size - 1, evenly, both ends among them."""
    count = min(size, count)
    return [place * (size - 1) // max(1, count - 1) for place in range(count)]
