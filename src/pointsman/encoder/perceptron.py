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

BLOCK = 8
"""Hidden units computed at once. OpenBLAS wakes one thread a core for matrices of more than 9216 elements
times a vector, and for products of more than 262144 multiplications, and those threads spin: on shared cores
a product of 0.1 ms then takes 10."""

TOKENS = 80
"""Tokens computed at once, by the same limit."""


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

    def probabilities(self, inner: Floats) -> Floats:
        """Finish from the values of the hidden layer, shape (rows, hidden); gives (rows, labels)."""
        return softmax((inner @ self.w2.T + self.b2) / np.float32(self.temperature))

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
    """Several heads over the same features of a text, their first layers run as one."""

    def __init__(self, heads: Mapping[str, Perceptron]) -> None:
        self._heads = dict(heads)
        self._blocks = blocks(np.concatenate([head.w1 for head in heads.values()]))
        self._bias = np.concatenate([head.b1 for head in heads.values()])

    def probabilities(self, features: Floats) -> dict[str, NDArray[np.float32]]:
        """Give each head's probabilities, shape (labels,), for one text's features, shape (inputs,)."""
        inner = gelu((self._blocks @ features).reshape(-1)[: len(self._bias)] + self._bias)
        found: dict[str, Floats] = {}
        start = 0
        for name, head in self._heads.items():
            end = start + len(head.b1)
            found[name] = head.probabilities(inner[None, start:end])[0]
            start = end
        return found


class TokenHead:
    """A head over each token by itself."""

    def __init__(self, head: Perceptron) -> None:
        self.labels = head.labels
        self._head = head
        self._blocks = np.ascontiguousarray(blocks(head.w1).transpose(0, 2, 1))

    def probabilities(self, tokens: Floats) -> Floats:
        """Give the probabilities of each token, (tokens, inputs) to (tokens, labels)."""
        if len(tokens) > TOKENS:
            parts = [tokens[start : start + TOKENS] for start in range(0, len(tokens), TOKENS)]
            return np.concatenate([self.probabilities(part) for part in parts])
        columns = np.matmul(tokens, self._blocks).transpose(1, 0, 2)
        inner = columns.reshape(len(tokens), len(self._blocks) * BLOCK)
        return self._head.probabilities(gelu(inner[:, : len(self._head.b1)] + self._head.b1))


def blocks(weights: Floats) -> Floats:
    """Cut a matrix (rows, inputs) into (blocks, BLOCK, inputs), the last one filled up with zeros."""
    rows, inputs = weights.shape
    whole = np.zeros((-(-rows // BLOCK) * BLOCK, inputs), np.float32)
    whole[:rows] = weights
    return whole.reshape(-1, BLOCK, inputs)


def gelu(values: Floats) -> Floats:
    """Hendrycks and Gimpel's activation in its tanh form (arXiv 1606.08415), of any shape."""
    scaled = np.float32(0.7978845608028654) * (values + np.float32(0.044715) * values * values * values)
    return np.asarray(np.float32(0.5) * values * (1 + np.tanh(scaled)), dtype=np.float32)


def softmax(scores: Floats) -> Floats:
    """Turn scores, shape (rows, labels), into probabilities of which each row sums to one."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)
