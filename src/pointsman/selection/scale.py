"""Bringing unlike quantities to one scale."""

from collections.abc import Sequence
from typing import Final

NEUTRAL: Final = 0.5
"""What a candidate gets where nothing is known of it, or where all are the same."""


def normalised(values: Sequence[float | None]) -> tuple[float, ...]:
    """Each value's place between the least (0) and the greatest (1) that are known."""
    known = [value for value in values if value is not None]
    least, greatest = min(known, default=0.0), max(known, default=0.0)
    span = greatest - least
    if not 0 < span < float("inf"):
        return (NEUTRAL,) * len(values)
    return tuple(NEUTRAL if value is None else (value - least) / span for value in values)


def inverted(values: Sequence[float]) -> tuple[float, ...]:
    """For quantities of which less is better."""
    return tuple(1.0 - value for value in values)


def first_best(scores: Sequence[float]) -> int:
    """Index of the highest score; the first of equals, as candidates are written best first."""
    return max(range(len(scores)), key=lambda index: (scores[index], -index))
