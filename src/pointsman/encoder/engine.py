"""What runs the network, whichever library does it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


class Engine(Protocol):
    """Runs the encoder; safe to call from several threads, each call on one thread."""

    @property
    def precision(self) -> str:
        """Arithmetic of the passes, e.g. ``int8``: vectors of two precisions must not be compared."""

    def hidden(self, numbers: Numbers, mask: Numbers) -> Floats:
        """Run one pass over word piece numbers, shape (texts, tokens), padded where `mask` is 0.

        Gives the last layer, shape (texts, tokens, dimension); what it holds at padded places means
        nothing. Raises EncoderError when the pass fails.
        """
