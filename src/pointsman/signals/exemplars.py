"""Small classifiers made of example texts that ship with the package, built when the router is.

A ridge regression from the embedding to the classes, in closed form, and a softmax of its outputs. How
strongly it is regularised and how sharp the softmax is, are chosen by leave-one-out over the examples:
nothing is trained beforehand and nothing depends on chance. `bench/signals.py` measures them on other texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman.signals.base import Floats, TextEncoder

_STRENGTHS: Final = (0.3, 1.0, 3.0, 10.0)
_SHARPNESSES: Final = tuple(float(each) for each in np.geomspace(1.0, 40.0, 24))
_HEADING: Final = "## "

Wide = NDArray[np.float64]


def shipped(name: str) -> Mapping[str, tuple[str, ...]]:
    """The example texts of a classifier by class, as its file in ``signals/exemplars`` has them."""
    return parsed(files("pointsman.signals").joinpath("exemplars", f"{name}.txt").read_text("utf-8"))


def parsed(page: str) -> Mapping[str, tuple[str, ...]]:
    """Texts by class: a line ``## class``, then a text a line."""
    return MappingProxyType({label: tuple(texts) for label, texts in _classes(page)})


def _classes(page: str) -> Iterator[tuple[str, list[str]]]:
    for block in f"\n{page}".split(f"\n{_HEADING}")[1:]:
        label, *lines = block.splitlines()
        yield label.strip(), [line.strip() for line in lines if line.strip()]


class ExemplarClassifier(msgspec.Struct, frozen=True):
    """Class probabilities of a text, read off its embedding."""

    labels: tuple[str, ...]
    weights: Floats
    """Shape (dimension, classes); with ``offset`` what the softmax reads, sharpness included."""
    offset: Floats

    @classmethod
    def fitted(cls, encoder: TextEncoder, texts: Mapping[str, Sequence[str]]) -> "ExemplarClassifier":
        """Learn the classes of some texts; takes about 2 ms a text."""
        labels = tuple(texts)
        inputs = np.stack([encoder.embed_now(text) for each in texts.values() for text in each])
        classes = np.repeat(np.arange(len(labels)), [len(each) for each in texts.values()])
        weights, offset = _fit(inputs.astype(np.float64), classes, len(labels))
        return cls(labels, weights.astype(np.float32), offset.astype(np.float32))

    def probabilities(self, vector: Floats) -> dict[str, float]:
        """The probability of each class, summing to one."""
        shares = _softmax((vector @ self.weights + self.offset)[None].astype(np.float64))[0]
        return dict(zip(self.labels, map(float, shares), strict=True))


def _fit(inputs: Wide, classes: NDArray[np.int64], count: int) -> tuple[Wide, Wide]:
    """Weights and offset of the strength and sharpness under which left-out texts are least surprising."""
    centre = inputs.mean(axis=0)
    centred = inputs - centre
    targets = np.eye(count)[classes]
    mean = targets.mean(axis=0)
    best: tuple[float, Wide, float] | None = None
    for strength in _STRENGTHS:
        gram = centred.T @ centred + strength * np.eye(inputs.shape[1])
        solved = np.linalg.solve(gram, centred.T)
        weights = solved @ (targets - mean)
        leverage = np.einsum("nd,dn->n", centred, solved) + 1 / len(inputs)
        # Each text as a regression without it would see it: exact for ridge with a free intercept.
        left_out = targets - (targets - centred @ weights - mean) / (1 - leverage)[:, None]
        for sharpness in _SHARPNESSES:
            surprise = -np.log(_softmax(sharpness * left_out)[np.arange(len(classes)), classes]).mean()
            if best is None or surprise < best[0]:
                best = (float(surprise), weights, sharpness)
    if best is None:
        raise ValueError("a classifier needs texts")
    _, weights, sharpness = best
    return sharpness * weights, sharpness * (mean - centre @ weights)


def _softmax(logits: Wide) -> Wide:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Wide = powers / powers.sum(axis=1, keepdims=True)
    return shares
