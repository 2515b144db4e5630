"""The part of the encoder that plugins read."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Peak(Protocol):
    """Where a text looks most like a jailbreak."""

    @property
    def probability(self) -> float:
        """Of the window that looks most like one."""


class Entity(Protocol):
    """A stretch of text that names something personal."""

    @property
    def label(self) -> str:
        """Kind of personal data, e.g. ``EMAIL_ADDRESS``."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""

    @property
    def score(self) -> float:
        """Confidence, 0 to 1."""


class Scan(Protocol):
    """What guards read of a whole text, however long."""

    @property
    def jailbreak(self) -> Peak:
        """Where it looks most like a jailbreak."""

    @property
    def entities(self) -> Sequence[Entity]:
        """What the token head found, by position, without overlaps."""


class TextEncoder(Protocol):
    """Reads texts; every method raises when the encoder is closed, broken, or has too much to do."""

    async def scan(self, text: str) -> Scan:
        """Read all of a text in small windows."""

    async def embed(self, text: str) -> Floats:
        """The unit vector of a text, shape (384,)."""

    def embed_now(self, text: str) -> Floats:
        """The same in the calling thread, for texts of the document."""
