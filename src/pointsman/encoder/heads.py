"""Classification heads: small linear layers over what one pass yields, in plain numpy."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.encoder.errors import ModelFilesError

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A multinomial logistic layer, calibrated by one temperature (Guo et al. 2017, arXiv 1706.04599).

    It sees the embedding and, when it has a lexicon, which clues (word pieces and grams) occur: meaning
    generalises, words settle what the embedding blurs, above all in languages the encoder cannot read.
    """

    labels: tuple[str, ...]
    weights: Floats
    """Shape (labels, dimension)."""

    bias: Floats
    """Shape (labels,)."""

    temperature: float
    """Divides the scores: above one the head was over-confident before calibration."""

    lexicon: Floats | None = None
    """Shape (clues, labels): what the presence of a clue adds to each score."""

    def scores(self, embedding: Floats, clues: Sequence[int]) -> NDArray[np.float64]:
        """Give each label's score before calibration, shape (labels,).

        `embedding` has the shape (dimension,), `clues` are the different rows of the lexicon that
        apply. Their part is divided by the root of how many there are, so long texts do not shout.
        """
        scores = (self.weights @ embedding + self.bias).astype(np.float64)
        if self.lexicon is None or not clues:
            return scores
        words = self.lexicon[clues].sum(axis=0, dtype=np.float64)
        return np.asarray(scores + words / np.sqrt(len(clues)))

    def probabilities(self, embedding: Floats, clues: Sequence[int]) -> NDArray[np.float64]:
        """Give each label's calibrated probability, shape (labels,), for the inputs of `scores`."""
        return softmax(self.scores(embedding, clues) / self.temperature)

    @classmethod
    def from_npz(cls, content: bytes, *, dimension: int, clues: int) -> Self:
        """Read a head from the bytes of an .npz with weights, bias, labels, temperature and maybe lexicon.

        Raises ModelFilesError when an array is missing, of another shape than the labels, the dimension
        and the number of clues demand, or not finite.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                head = cls(
                    labels=tuple(str(label) for label in arrays["labels"]),
                    weights=np.ascontiguousarray(arrays["weights"], dtype=np.float32),
                    bias=np.ascontiguousarray(arrays["bias"], dtype=np.float32),
                    temperature=float(arrays["temperature"]),
                    lexicon=arrays["lexicon"].astype(np.float32) if "lexicon" in arrays else None,
                )
        except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelFilesError(f"not a classification head: {error}") from error
        head._check(dimension, clues)  # its own class
        return head

    def _check(self, dimension: int, clues: int) -> None:
        count = len(self.labels)
        shapes = [self.weights.shape, self.bias.shape]
        wanted = [(count, dimension), (count,)]
        values = [self.weights, self.bias]
        if self.lexicon is not None:
            shapes.append(self.lexicon.shape)
            wanted.append((clues, count))
            values.append(self.lexicon)
        if shapes != wanted:
            raise ModelFilesError(f"head of {count} labels has arrays of shapes {shapes}, wanted {wanted}")
        if not (all(np.isfinite(array).all() for array in values) and 0 < self.temperature < np.inf):
            raise ModelFilesError("head holds values that are not finite, or a temperature not above zero")


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn scores, shape (labels,), into probabilities that sum to one."""
    # The largest score is taken off first, so that no exponential can overflow.
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), dtype=np.float64)
