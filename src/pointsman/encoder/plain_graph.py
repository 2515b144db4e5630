"""The network in standard operators, for engines that are not onnxruntime.

The int8 weights stay as they are. What onnxruntime fuses into operators of its own is spelt out, and where
its graph chooses between attention with and without a mask, this one adds the mask to the scores.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from pointsman.encoder.errors import EngineMissing, ModelFilesError

FUSED = "com.microsoft"
"""The domain of the operators that only onnxruntime has."""

MASK = "attention_mask"
SILENCE = 10_000.0
"""Taken off the scores of padding, of which nothing is left then, in bf16 as well."""


def plain_graph(graph: bytes, *, dimension: int) -> bytes:
    """Rewrite a graph that `training/build_onnx.py` wrote for vectors of `dimension`.

    Raises EngineMissing when the package onnx is not installed, ModelFilesError for any other graph.
    """
    onnx = _library()
    try:
        model = onnx.load_model_from_string(graph)
        spelling = _Spelling(onnx, dimension)
        for node in model.graph.node:
            spelling.take(node)
        _replace(model, spelling)
        written: bytes = model.SerializeToString()
    except ModelFilesError:
        raise
    except Exception as error:  # the library raises protobuf's errors and its own
        raise ModelFilesError(f"not a graph that can be spelt out: {error}") from error
    return written


class _Spelling:
    """Collects the nodes and constants of the new graph; outputs keep their names."""

    def __init__(self, onnx: Any, dimension: int) -> None:
        self._onnx = onnx
        self._dimension = dimension
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        real = self._add("Cast", [MASK], "mask.real", to=onnx.TensorProto.FLOAT)
        missing = self._add("Sub", [real, self._constant("mask.one", np.float32(1))], "mask.missing")
        added = self._add("Mul", [missing, self._constant("mask.silence", np.float32(SILENCE))], "mask.added")
        axes = self._constant("mask.axes", np.array([1, 2]))
        self._mask = self._add("Unsqueeze", [added, axes], "mask.bias")

    def take(self, node: Any) -> None:
        """Append a node, in standard operators; raises ModelFilesError for one that has none."""
        if node.op_type == "If":
            self._attention(node)
        elif node.domain != FUSED:
            self.nodes.append(node)
        elif node.op_type == "DynamicQuantizeMatMul":
            self._product(*node.input, output=node.output[0])
        elif node.op_type == "Gelu":
            self._add("Gelu", list(node.input), node.output[0])
        else:
            raise ModelFilesError(f"the graph has a {node.op_type}, which only onnxruntime knows")

    def _product(self, source: str, whole: str, scale: str, zero: str, bias: str, *, output: str) -> None:
        """Turn the weights, of one scale a column, into floats where they are used, and multiply."""
        weights = self._add("DequantizeLinear", [whole, scale, zero], f"{output}.weights", axis=1)
        product = self._add("MatMul", [source, weights], f"{output}.product")
        self._add("Add", [product, bias], output)

    def _attention(self, choice: Any) -> None:
        """Do what either branch does: attention over the real tokens."""
        fused = self._onnx.helper.get_node_attr_value(choice, "then_branch").node[0]
        if fused.op_type != "MultiHeadAttention":
            raise ModelFilesError(f"the graph has a choice of {fused.op_type}, which is no attention")
        stem = choice.output[0]
        heads = self._onnx.helper.get_node_attr_value(fused, "num_heads")
        width = self._dimension // heads
        split = self._constant(f"{stem}.split", np.array([0, 0, heads, width]))
        query, key, value = (
            self._add(
                "Transpose",
                [self._add("Reshape", [part, split], f"{stem}.{name}.split")],
                f"{stem}.{name}",
                perm=order,
            )
            for name, part, order in zip(
                ("query", "key", "value"),
                fused.input,
                ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]),
                strict=True,
            )
        )
        root = self._constant(f"{stem}.root", np.float32(width**-0.5))
        similar = self._add(
            "Mul", [self._add("MatMul", [query, key], f"{stem}.dots"), root], f"{stem}.similar"
        )
        scores = self._add("Add", [similar, self._mask], f"{stem}.scores")
        shares = self._add("Softmax", [scores], f"{stem}.shares", axis=-1)
        mixed = self._add("MatMul", [shares, value], f"{stem}.mixed")
        beside = self._add("Transpose", [mixed], f"{stem}.beside", perm=[0, 2, 1, 3])
        whole = self._constant(f"{stem}.whole", np.array([0, 0, self._dimension]))
        self._add("Reshape", [beside, whole], stem)

    def _add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self._onnx.helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, name: str, values: Any) -> str:
        self.constants.append(self._onnx.numpy_helper.from_array(np.asarray(values), name))
        return name


def _replace(model: Any, spelling: _Spelling) -> None:
    """Put the new nodes in the place of the old ones, less those that nobody reads any more."""
    graph = model.graph
    read = {output.name for output in graph.output}
    kept = []
    for node in reversed(spelling.nodes):
        if read.intersection(node.output):
            read.update(node.input)
            kept.append(node)
    constants = [each for each in (*graph.initializer, *spelling.constants) if each.name in read]
    domains = [each for each in model.opset_import if each.domain != FUSED]
    for field, values in (
        (graph.node, kept[::-1]),
        (graph.initializer, constants),
        (model.opset_import, domains),
    ):
        del field[:]
        field.extend(values)


def _library() -> Any:
    try:
        return import_module("onnx")
    except ImportError as error:
        raise EngineMissing("onnx is not installed: pip install 'pointsman[openvino]'") from error
