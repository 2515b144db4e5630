"""A head of the user's own: a few arrays that read what the shipped network says of a text."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pointsman.encoder.engine import Floats
from pointsman.encoder.entities import OUTSIDE
from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.folder import read_file
from pointsman.encoder.perceptron import Perceptron, SequenceHeads, blocks, softmax
from pointsman.encoder.plug_errors import PlugRefused
from pointsman.encoder.plug_labels import agreed

TWO_LAYERS = frozenset({"w1", "b1", "w2", "b2", "labels", "temperature"})
ONE_LAYER = frozenset({"weights", "bias", "labels"})
FORMS = "an .npz with weights, bias and labels, or with w1, b1, w2, b2, labels and temperature"
FEATURES = 3
"""First token, mean and maximum, each of the network's dimension."""

Arrays = dict[str, NDArray[Any]]


class Layers(Protocol):
    """The arithmetic of a head."""

    def probabilities(self, values: Floats) -> Floats:
        """Give the labels' probabilities, shape (labels,), for one text's values, shape (inputs,)."""


@dataclass(frozen=True, slots=True)
class PluggedHead:
    """A head and what it reads; safe to use from several threads."""

    labels: tuple[str, ...]
    whole: bool
    """Whether it reads first token, mean and maximum; else it reads the sentence embedding."""

    layers: Layers

    def probabilities(self, features: Floats, embedding: Floats) -> Floats:
        """Give the labels' probabilities; not finite where the head's numbers overflow on this text."""
        with np.errstate(all="ignore"):
            return self.layers.probabilities(features if self.whole else embedding)


def read_head(path: Path, *, labels: Sequence[str], dimension: int) -> PluggedHead:
    """Read a head for a network of this dimension; `labels` are the document's, maybe none.

    Raises PlugRefused when the file is missing or no head, has other labels, or values that are
    not finite.
    """
    try:
        content = read_file(path)
    except ModelFilesError as error:
        raise PlugRefused(str(error), "give the path of a file that can be read here") from error
    arrays = _arrays(path, content)
    named = tuple(str(label) for label in arrays["labels"].reshape(-1))
    found = agreed(named, labels, path=path)
    if OUTSIDE in found and all(label == OUTSIDE or label[:2] in {"B-", "I-"} for label in found):
        raise PlugRefused(
            f"{path} has the labels of a head over single tokens",
            "give a head over whole texts",
            key="labels",
        )
    try:
        with np.errstate(over="ignore"):  # what overflows here is found to be not finite below
            return _head(content, arrays, named, dimension)
    except ModelFilesError as error:
        raise PlugRefused(f"{path}: {error}", f"write {FORMS}; {_inputs(dimension)}") from error


def _arrays(path: Path, content: bytes) -> Arrays:
    remedy = f"write {FORMS}, with numpy.savez"
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (
        *(ValueError, TypeError, AttributeError, OSError, EOFError, RuntimeError),
        *(KeyError, MemoryError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise PlugRefused(f"{path} is no .npz of plain arrays: {error}", remedy) from error
    if not (arrays.keys() >= ONE_LAYER or arrays.keys() >= TWO_LAYERS):
        raise PlugRefused(f"{path} has the arrays {', '.join(sorted(arrays)) or 'none'}", remedy)
    words = [name for name, array in arrays.items() if name != "labels" and array.dtype.kind not in "fiu"]
    if words:
        raise PlugRefused(f"{path}: {', '.join(words)} holds no real numbers", remedy)
    return arrays


def _head(content: bytes, arrays: Arrays, labels: tuple[str, ...], dimension: int) -> PluggedHead:
    first = arrays["w1" if arrays.keys() >= TWO_LAYERS else "weights"]
    width = first.shape[-1] if first.ndim else 0
    if width not in {dimension, FEATURES * dimension}:
        raise ModelFilesError(f"the first layer has the shape {first.shape}; {_inputs(dimension)}")
    layers: Layers
    if arrays.keys() >= TWO_LAYERS:
        layers = _Two(Perceptron.from_npz(content, inputs=width, labels=labels))
    else:
        layers = _One(arrays, count=len(labels), inputs=width)
    return PluggedHead(labels, whole=width != dimension, layers=layers)


def _inputs(dimension: int) -> str:
    return (
        f"a head has {dimension} inputs (the sentence embedding) or {FEATURES * dimension} "
        "(first token, mean, maximum)"
    )


class _Two:
    def __init__(self, head: Perceptron) -> None:
        self._heads = SequenceHeads({"": head})

    def probabilities(self, values: Floats) -> Floats:
        """See `Layers.probabilities`."""
        return self._heads.probabilities(values)[""]


class _One:
    """Linear and softmax; `weights` (labels, inputs), `bias` (labels,), and a temperature, else one."""

    def __init__(self, arrays: Arrays, *, count: int, inputs: int) -> None:
        weights, bias = (np.ascontiguousarray(arrays[name], dtype=np.float32) for name in ("weights", "bias"))
        shapes, wanted = [weights.shape, bias.shape], [(count, inputs), (count,)]
        if shapes != wanted:
            raise ModelFilesError(f"head of {count} labels has arrays of shapes {shapes}, wanted {wanted}")
        temperature = np.asarray(arrays.get("temperature", 1.0), dtype=np.float32)
        if temperature.size != 1 or not 0 < temperature.item() < np.inf:
            raise ModelFilesError("the temperature is not one finite number above zero")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ModelFilesError("head holds values that are not finite")
        self._blocks = blocks(weights)
        self._bias = bias
        self._temperature = np.float32(temperature.item())

    def probabilities(self, values: Floats) -> Floats:
        """See `Layers.probabilities`."""
        scores = (self._blocks @ values).reshape(-1)[: len(self._bias)] + self._bias
        return softmax(scores / self._temperature)
