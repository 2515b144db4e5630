"""The part of the encoder that algorithms read."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors of 384 dimensions; passes are shared and kept."""

    @property
    def identity(self) -> str:
        """Which network, precision and revision: vectors of two identities never mix."""

    async def embed(self, text: str) -> Floats:
        """The vector of a text, the same to the last bit whenever it is asked for."""

    def embed_now(self, text: str) -> Floats:
        """The same in the calling thread, for texts of the document."""
