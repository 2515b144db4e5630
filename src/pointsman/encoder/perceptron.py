"""Heads of one hidden layer, in plain numpy and on one thread."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pointsman.encoder.engine import Floats
from pointsman.encoder.errors import ModelFilesError

ELEMENTS, MULTIPLICATIONS = 9216, 262_144
"""Most elements of a matrix times a vector, and most multiplications of a product of matrices, that OpenBLAS
does on one thread. For more it wakes one a core, and those spin: on shared cores a product of 0.1 ms then
takes 10."""

BLOCK = 8
"""Hidden units computed at once, of vectors of up to 1152, for one text."""

UNITS = 32
"""Hidden units computed at once for many tokens."""


@dataclass(frozen=True, slots=True)
class Perceptron:
    """Linear, GELU, linear, softmax; calibrated by one temperature (Guo et al. 2017, arXiv 1706.04599)."""

    labels: tuple[str, ...]
    w1: Floats
    """Shape (hidden, inputs)."""

    b1: Floats
    w2: Floats
    """Shape (labels, hidden)."""

    b2: Floats
    temperature: float
    """Divides the scores: above one the head was over-confident before calibration."""

    @classmethod
    def from_npz(cls, content: bytes, *, inputs: int, labels: Sequence[str]) -> Self:
        """Read a head from an .npz with w1, b1, w2, b2, labels and temperature.

        Raises ModelFilesError when an array is missing, of a shape that `inputs` and the labels do not
        allow, not finite, or when the labels are not the manifest's.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                head = cls(
                    labels=tuple(str(label) for label in arrays["labels"]),
                    w1=np.ascontiguousarray(arrays["w1"], dtype=np.float32),
                    b1=np.ascontiguousarray(arrays["b1"], dtype=np.float32),
                    w2=np.ascontiguousarray(arrays["w2"], dtype=np.float32),
                    b2=np.ascontiguousarray(arrays["b2"], dtype=np.float32),
                    temperature=float(arrays["temperature"]),
                )
        except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelFilesError(f"not a classification head: {error}") from error
        head._check(inputs, tuple(labels))  # its own class
        return head

    def _check(self, inputs: int, labels: tuple[str, ...]) -> None:
        if self.labels != labels:
            raise ModelFilesError(f"head has the labels {self.labels}, the manifest says {labels}")
        arrays = (self.w1, self.b1, self.w2, self.b2)
        count, inner = len(labels), len(self.b1)
        shapes = [array.shape for array in arrays]
        wanted = [(inner, inputs), (inner,), (count, inner), (count,)]
        if shapes != wanted:
            raise ModelFilesError(f"head of {count} labels has arrays of shapes {shapes}, wanted {wanted}")
        if not (all(np.isfinite(array).all() for array in arrays) and 0 < self.temperature < np.inf):
            raise ModelFilesError("head holds values that are not finite, or a temperature not above zero")


class SequenceHeads:
    """Several heads over the same features of a text, run as one."""

    def __init__(self, heads: Mapping[str, Perceptron]) -> None:
        counts = [len(head.labels) for head in heads.values()]
        ends = np.cumsum(counts).tolist()
        self._first = blocks(np.concatenate([head.w1 for head in heads.values()]))
        self._bias = np.concatenate([head.b1 for head in heads.values()])
        last = diagonal([head.w2 / np.float32(head.temperature) for head in heads.values()])
        self._last = blocks(last, max(1, min(len(last), ELEMENTS // len(self._bias))))
        self._scores = np.concatenate([head.b2 / np.float32(head.temperature) for head in heads.values()])
        self._starts = [end - count for end, count in zip(ends, counts, strict=True)]
        self._counts = counts
        self._places = {
            name: slice(start, end) for name, start, end in zip(heads, self._starts, ends, strict=True)
        }

    def probabilities(self, features: Floats) -> dict[str, NDArray[np.float32]]:
        """Give each head's probabilities, shape (labels,), for one text's features, shape (inputs,)."""
        inner = gelu((self._first @ features).reshape(-1)[: len(self._bias)] + self._bias)
        scores = (self._last @ inner).reshape(-1)[: len(self._scores)] + self._scores
        powers = np.exp(scores - np.maximum.reduceat(scores, self._starts).repeat(self._counts))
        shares = powers / np.add.reduceat(powers, self._starts).repeat(self._counts)
        return {name: shares[place] for name, place in self._places.items()}


class TokenHead:
    """A head over each token by itself."""

    def __init__(self, head: Perceptron) -> None:
        self.labels = head.labels
        temperature = np.float32(head.temperature)
        self._first, self._last = (
            np.ascontiguousarray(blocks(weights, block).transpose(0, 2, 1))
            for weights, block in (
                (head.w1, UNITS),
                (head.w2 / temperature, min(len(self.labels), 2 * UNITS)),
            )
        )
        self._bias, self._scores = head.b1, head.b2 / temperature

    def scores(self, tokens: Floats) -> Floats:
        """Give what `softmax` makes probabilities of, (tokens, inputs) to (tokens, labels)."""
        inner = gelu(tiled(tokens, self._first)[:, : len(self._bias)] + self._bias)
        return tiled(inner, self._last)[:, : len(self._scores)] + self._scores


def diagonal(parts: Sequence[Floats]) -> Floats:
    """Put matrices corner to corner, zeros elsewhere: each sees its own stretch of a joined vector."""
    found = np.zeros(np.sum([part.shape for part in parts], axis=0), np.float32)
    row = column = 0
    for part in parts:
        rows, columns = part.shape
        found[row : row + rows, column : column + columns] = part
        row, column = row + rows, column + columns
    return found


def blocks(weights: Floats, block: int = BLOCK) -> Floats:
    """Cut a matrix (rows, inputs) into (blocks, block, inputs), the last one filled up with zeros."""
    rows, inputs = weights.shape
    whole = np.zeros((-(-rows // block) * block, inputs), np.float32)
    whole[:rows] = weights
    return whole.reshape(-1, block, inputs)


def tiled(rows: Floats, layer: Floats) -> Floats:
    """Multiply (rows, inputs) by a layer (blocks, inputs, block), in tiles; gives (rows, blocks x block)."""
    count, inputs, block = layer.shape
    step = max(1, MULTIPLICATIONS // (inputs * block))
    found = np.empty((len(rows), count, block), np.float32)
    tiles = found.transpose(1, 0, 2)
    for start in range(0, len(rows), step):
        np.matmul(rows[start : start + step], layer, out=tiles[:, start : start + step])
    return found.reshape(len(rows), count * block)


def gelu(values: Floats) -> Floats:
    """Hendrycks and Gimpel's activation in its tanh form (arXiv 1606.08415), of any shape."""
    found = values * values
    found *= np.float32(0.7978845608028654 * 0.044715)
    found += np.float32(0.7978845608028654)
    found *= values
    np.tanh(found, out=found)
    found += np.float32(1)
    found *= values
    found *= np.float32(0.5)
    return found


def softmax(scores: Floats) -> Floats:
    """Turn scores, shape (rows, labels), into probabilities of which each row sums to one."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)
