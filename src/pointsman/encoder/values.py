"""What a pass over a text yields."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as the model understood it; shared between callers, so nothing in it can be changed."""

    embedding: NDArray[np.float32]
    """Shape (dimension,), unit length: the dot product of two embeddings is their cosine similarity."""

    domains: Mapping[str, float]
    """Every domain label with its calibrated probability; sums to one."""

    tokens: int
    """Word pieces that were read, the two markers around the text not counted."""

    truncated: bool
    """True when the middle of a long text was not read."""
