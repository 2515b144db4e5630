"""A model folder for tests: random heads of the real shapes, and networks to read with."""

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from pointsman.encoder.engine import Floats, Numbers
from pointsman.encoder.folder import SHIPPED, TOKENIZER

DOMAINS = ("biology", "computer science", "law", "math", "other")
KINDS = ("EMAIL_ADDRESS", "PERSON", "PHONE_NUMBER")
LABELS = {
    "domain": DOMAINS,
    "jailbreak": ("benign", "jailbreak"),
    "complexity": ("easy", "medium", "hard"),
    "pii": ("O", *(f"{prefix}-{kind}" for kind in KINDS for prefix in "BI")),
}
DIMENSION = 384


@cache
def _table() -> Floats:
    words = Tokenizer.from_file(str(SHIPPED / TOKENIZER)).get_vocab_size()
    return np.random.default_rng(5).standard_normal((words, DIMENSION), dtype=np.float32)


class TableEngine:
    """A network of one lookup: every word piece has its own fixed random vector, wherever it stands."""

    precision = "exact"

    def __init__(self) -> None:
        self.table = _table()
        self.shapes: list[tuple[int, ...]] = []

    def hidden(self, numbers: Numbers, mask: Numbers) -> Floats:
        self.shapes.append(numbers.shape)
        return np.asarray(self.table[numbers] * mask[..., None])


def head(rng: np.random.Generator, inputs: int, labels: tuple[str, ...], inner: int) -> dict[str, Any]:
    """Random arrays of a head."""
    return {
        "w1": rng.standard_normal((inner, inputs)).astype(np.float32) / np.float32(np.sqrt(inputs)),
        "b1": np.zeros(inner, np.float32),
        "w2": rng.standard_normal((len(labels), inner)).astype(np.float32) / np.float32(np.sqrt(inner)),
        "b2": np.zeros(len(labels), np.float32),
        "labels": np.array(labels),
        "temperature": np.float64(1.0),
    }


def npz(arrays: dict[str, Any]) -> bytes:
    """The file of a head."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def fitted_pii(vectors: NDArray[np.float32], tags: list[int]) -> dict[str, Any]:
    """A token head that says `tags` for exactly these vectors and `O` for everything unlike them."""
    labels = LABELS["pii"]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    second = np.zeros((len(labels), len(vectors)), np.float32)
    for column, tag in enumerate(tags):
        second[tag, column] = 2.0
    outside = np.zeros(len(labels), np.float32)
    outside[0] = 5.0
    return {
        "w1": unit,
        "b1": np.zeros(len(vectors), np.float32),
        "w2": second,
        "b2": outside,
        "labels": np.array(labels),
        "temperature": np.float64(1.0),
    }


def write_manifest(folder: Path, **changed: Any) -> None:
    """Describe what lies in a folder, with some keys of the manifest changed."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "manifest.json")
    content = {
        "engine": "toy",
        "revision": "r1",
        "precision": "int8",
        "dimension": DIMENSION,
        "max_tokens": 512,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
        "heads": {
            name: {
                "kind": "token" if name == "pii" else "sequence",
                "file": f"{name}.npz",
                "labels": list(labels),
                "trained": "on nothing",
            }
            for name, labels in LABELS.items()
        },
    }
    (folder / "manifest.json").write_bytes(msgspec.json.encode(content | changed))


def write_heads(folder: Path) -> None:
    """Random heads of the real shapes."""
    rng = np.random.default_rng(7)
    for name, labels in LABELS.items():
        inputs, inner = (DIMENSION, 128) if name == "pii" else (3 * DIMENSION, 256)
        (folder / f"{name}.npz").write_bytes(npz(head(rng, inputs, labels, inner)))
