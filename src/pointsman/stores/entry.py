"""What a store keeps: an answer, under everything that may change it."""

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

OVERHEAD = 512
"""Bytes an entry takes beside its texts and its vector, about."""


class Meaning(msgspec.Struct, frozen=True, eq=False):
    """The vector of a text, and who made it: vectors of two engines are never compared."""

    engine: str
    vector: Floats
    """Unit length: a dot product of two is their cosine."""


class Entry(msgspec.Struct, frozen=True, eq=False):
    """One answer. Plain values only, so that it can be kept anywhere."""

    partition: bytes
    """Digest of all that may change the answer, but for the question: entries of two never meet."""
    question: bytes
    """Digest of the question, the last text of the user."""
    text: str
    """The question as it was asked; empty where only repeats may hit."""
    answer: bytes
    """The answer, a chat completion as JSON."""
    created: float
    """Unix time, seconds."""
    expires: float
    """Unix time, seconds."""
    meaning: Meaning | None = None
    """``None`` where only repeats may hit."""

    @property
    def key(self) -> tuple[bytes, bytes]:
        """What names it: a second answer to the same question takes the place of the first."""
        return self.partition, self.question

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        vector = self.meaning.vector.nbytes if self.meaning is not None else 0
        return OVERHEAD + len(self.answer) + 4 * len(self.text) + vector


class Near(msgspec.Struct, frozen=True, eq=False):
    """An entry and how similar its question is."""

    entry: Entry
    similarity: float
    """Cosine, -1 to 1."""
