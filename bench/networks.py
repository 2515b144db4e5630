"""Networks to measure with: their weights are random, which costs the same time as trained ones."""

import hashlib
import io
import json
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pointsman.encoder.folder import GRAPH, SHIPPED, TOKENIZER
from pointsman.encoder.session import open_session

sys.path.append(str(Path(__file__).parents[1] / "training"))

from build_onnx import DIMENSION, LAYERS, write_graph  # after the path is set
from graph import CONTRIB, GraphBuilder  # same

Floats = NDArray[np.float32]

INNER = 4 * DIMENSION
LABELS = {
    "domain": tuple(f"domain {number}" for number in range(14)),
    "jailbreak": ("benign", "jailbreak"),
    "complexity": ("easy", "medium", "hard"),
    "pii": ("O", *(f"{prefix}-KIND{number}" for number in range(17) for prefix in "BI")),
}

HIDDEN = {"domain": 160, "jailbreak": 64, "complexity": 32, "pii": 128}
"""Hidden units of the shipped heads."""

BIG_LAYERS, BIG_WIDTH, BIG_HEADS, BIG_INNER = 22, 768, 12, 1152


@dataclass(frozen=True, slots=True)
class Peak:
    """Operations per second of one core in the runtime's own matrix products."""

    int8: float
    fp32: float


def fp32_twin(folder: Path) -> Path:
    """Write a network of the shipped one's size in fp32."""
    folder.mkdir()
    write_graph(random_state(), folder / GRAPH, precision="fp32")
    describe(folder)
    return folder


def describe(folder: Path) -> None:
    """Add the tokenizer, heads of the real shapes, and the manifest."""
    shutil.copy(SHIPPED / TOKENIZER, folder)
    rng = np.random.default_rng(1)
    for name, labels in LABELS.items():
        inputs, inner = DIMENSION if name == "pii" else 3 * DIMENSION, HIDDEN[name]
        first, second = matrix(rng, inner, inputs), matrix(rng, len(labels), inner)
        # As sure of O as a trained head is: otherwise every word would be an entity.
        bias = np.array([20.0 if label == "O" else 0.0 for label in labels], np.float32)
        file = io.BytesIO()
        zeros = np.zeros(inner, np.float32)
        np.savez(file, w1=first, b1=zeros, w2=second, b2=bias, labels=np.array(labels), temperature=1.0)
        (folder / f"{name}.npz").write_bytes(file.getvalue())
    names = [GRAPH, TOKENIZER, *(f"{name}.npz" for name in LABELS)]
    manifest: dict[str, Any] = {
        "engine": "random",
        "revision": "0",
        "precision": "random",
        "dimension": DIMENSION,
        "max_tokens": 512,
        "files": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
        "heads": {
            name: {
                "kind": "token" if name == "pii" else "sequence",
                "file": f"{name}.npz",
                "labels": list(labels),
            }
            for name, labels in LABELS.items()
        },
    }
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def matrix(rng: np.random.Generator, rows: int, columns: int) -> Floats:
    """Random, of a scale that keeps activations near one."""
    return rng.standard_normal((rows, columns), dtype=np.float32) / np.float32(np.sqrt(columns))


def random_state() -> dict[str, Floats]:
    """Weights of the encoder's shape, under the names of a BERT checkpoint."""
    rng = np.random.default_rng(0)
    words = len(json.loads((SHIPPED / TOKENIZER).read_text())["model"]["vocab"])
    state = {
        "embeddings.word_embeddings.weight": matrix(rng, words, DIMENSION),
        "embeddings.position_embeddings.weight": matrix(rng, 512, DIMENSION),
    }
    shapes = {
        "attention.self.query": (DIMENSION, DIMENSION),
        "attention.self.key": (DIMENSION, DIMENSION),
        "attention.self.value": (DIMENSION, DIMENSION),
        "attention.output.dense": (DIMENSION, DIMENSION),
        "intermediate.dense": (INNER, DIMENSION),
        "output.dense": (DIMENSION, INNER),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        stem = f"encoder.layer.{number}."
        norms += [f"{stem}attention.output.LayerNorm", f"{stem}output.LayerNorm"]
        for name, (rows, columns) in shapes.items():
            state[f"{stem}{name}.weight"] = matrix(rng, rows, columns)
            state[f"{stem}{name}.bias"] = np.zeros(rows, np.float32)
    for name in norms:
        state[f"{name}.weight"] = np.ones(DIMENSION, np.float32)
        state[f"{name}.bias"] = np.zeros(DIMENSION, np.float32)
    return state


def write_big(path: Path) -> None:
    """Write a network of ModernBERT-base's size: 22 layers of 768, gated feed-forward of 1152, fp32.

    It is spared what the real one does beside its products (rotary positions, local windows), and its word
    table is short, so it is if anything faster.
    """
    rng = np.random.default_rng(0)
    graph = GraphBuilder(int8=False)
    gain, offset = np.ones(BIG_WIDTH, np.float32), np.zeros(BIG_WIDTH, np.float32)
    hidden = graph.table("words", matrix(rng, 20_000, BIG_WIDTH), "input_ids")

    def linear(name: str, source: str, rows: int, columns: int) -> str:
        return graph.linear(name, source, matrix(rng, columns, rows).T.copy(), np.zeros(columns, np.float32))

    for number in range(BIG_LAYERS):
        stem = f"layer{number}."
        normed = graph.norm(f"{stem}norm1", hidden, gain, offset)
        product = linear(f"{stem}qkv", normed, BIG_WIDTH, 3 * BIG_WIDTH)
        parts = graph.many("Split", [product], count=3, axis=-1, num_outputs=3)
        mixed = graph.one("MultiHeadAttention", parts, domain=CONTRIB, num_heads=BIG_HEADS)
        hidden = graph.one("Add", [hidden, linear(f"{stem}mix", mixed, BIG_WIDTH, BIG_WIDTH)])
        normed = graph.norm(f"{stem}norm2", hidden, gain, offset)
        wide = linear(f"{stem}wide", normed, BIG_WIDTH, 2 * BIG_INNER)
        value, gate = graph.many("Split", [wide], count=2, axis=-1, num_outputs=2)
        gated = graph.one("Mul", [graph.one("Gelu", [value], domain=CONTRIB), gate])
        hidden = graph.one("Add", [hidden, linear(f"{stem}narrow", gated, BIG_INNER, BIG_WIDTH)])
    onnx.save(graph.model(source="input_ids", result=hidden, output="hidden", dimension=BIG_WIDTH), str(path))


def machine_peak(size: int = 1024) -> Peak:
    """Measure one square product of each kind, the least CPU time of many."""
    rng = np.random.default_rng(0)
    whole = rng.integers(-127, 127, (size, size), dtype=np.int8)
    left = rng.integers(0, 255, (size, size), dtype=np.uint8)
    fp32 = product(
        "MatMul", TensorProto.FLOAT, TensorProto.FLOAT, matrix(rng, size, size), matrix(rng, size, size)
    )
    int8 = product("MatMulInteger", TensorProto.UINT8, TensorProto.INT32, left, whole)
    return Peak(int8=2 * size**3 / int8, fp32=2 * size**3 / fp32)


def product(operator: str, source: int, result: int, left: NDArray[Any], right: NDArray[Any]) -> float:
    """Least CPU seconds of a product with a constant."""
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "right"], ["result"])],
        "product",
        [helper.make_tensor_value_info("left", source, left.shape)],
        [helper.make_tensor_value_info("result", result, left.shape)],
        [numpy_helper.from_array(right, "right")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = open_session(model.SerializeToString())
    best = float("inf")
    for _ in range(20):
        begun = time.process_time()
        session.run(None, {"left": left})
        best = min(best, time.process_time() - begun)
    return best
