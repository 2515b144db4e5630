"""What a pass over a text yields."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as the model understood it; shared between callers, so nothing in it can be changed."""

    embedding: Floats
    """Shape (dimension,), unit length: the dot product of two embeddings is their cosine similarity.

    A short text may have been read beside others, which moves the last digits; what is stored or compared
    with stored vectors comes from `Encoder.embed`.
    """

    domains: Mapping[str, float]
    """Every domain label with its calibrated probability; sums to one."""

    jailbreak: float
    """Probability that the text tries to talk a model out of its rules.

    Of a text longer than one pass only both ends were read: `Encoder.scan` reads all of it.
    """

    complexity: Mapping[str, float]
    """`easy`, `medium` and `hard` with their probabilities."""

    tokens: int
    """Word pieces that were read, the two markers around the text not counted."""

    truncated: bool
    """True when the middle of a long text was not read."""


@dataclass(frozen=True, slots=True)
class Peak:
    """Where a text looks most like a jailbreak."""

    probability: float
    start: int
    """First character of the window, counted in the text as it was given."""

    end: int
    """One past its last character."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of text that names something personal."""

    label: str
    """Kind of personal data, without a BIO prefix."""

    start: int
    """First character, counted in the text as it was given."""

    end: int
    """One past the last character."""

    score: float
    """Mean probability of the kind over the words of the entity, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What guards need to know about a whole text, however long."""

    jailbreak: Peak
    entities: tuple[Entity, ...]
    """By position; no two overlap."""

    pii: Mapping[str, float]
    """The highest score of each kind of entity found."""

    tokens: int
    """Word pieces read, overlaps counted once for each window."""

    sampled: bool
    """True when the text was over the budget and only evenly spaced parts of it were read."""

    disguised: bool
    """True when the text used invisible characters, look-alike letters or stacked marks inside words."""
