"""A few lines over onnx.helper: name tensors, chain operators, write a linear layer in either precision."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

Array = NDArray[np.generic]
Floats = NDArray[np.float32]

CONTRIB = "com.microsoft"
INT8_PEAK = 127


class GraphBuilder:
    """Collects nodes and constants; `int8` decides how linear layers and tables are stored."""

    def __init__(self, *, int8: bool) -> None:
        self.int8 = int8
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def constant(self, name: str, values: Array) -> str:
        """Store a constant under a name of its own."""
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def many(
        self, operator: str, inputs: list[str], *, count: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Append an operator with several outputs and name them."""
        stem = f"{operator}_{len(self._nodes)}"
        outputs = [f"{stem}_{index}" for index in range(count)]
        self._nodes.append(
            helper.make_node(operator, inputs, outputs, name=stem, domain=domain, **attributes)
        )
        return outputs

    def one(self, operator: str, inputs: list[str], *, domain: str = "", **attributes: Any) -> str:
        """Append an operator with a single output and name it."""
        return self.many(operator, inputs, count=1, domain=domain, **attributes)[0]

    def linear(self, name: str, source: str, weights: Floats, bias: Floats) -> str:
        """Append `source @ weights + bias`; weights have the shape (inputs, outputs).

        In int8 each output column has its own scale (one scale for the whole matrix halves the accuracy),
        weights are signed and activations unsigned, the only pairing with a fast kernel.
        """
        offset = self.constant(f"{name}.bias", bias)
        if not self.int8:
            product = self.one("MatMul", [source, self.constant(f"{name}.weight", weights)])
            return self.one("Add", [product, offset])
        whole, scale = quantised(weights, axis=0)
        inputs = [
            source,
            self.constant(f"{name}.weight", whole),
            self.constant(f"{name}.scale", scale.reshape(-1)),
            self.constant(f"{name}.zero", np.zeros(weights.shape[1], dtype=np.int8)),
            offset,
        ]
        return self.one("DynamicQuantizeMatMul", inputs, domain=CONTRIB)

    def table(self, name: str, rows: Floats, numbers: str) -> str:
        """Append the lookup of `numbers` in a table; in int8 each row has its own scale."""
        if not self.int8:
            return self.one("Gather", [self.constant(name, rows), numbers])
        whole, scale = quantised(rows, axis=1)
        found = self.one("Gather", [self.constant(name, whole), numbers])
        scales = self.one("Gather", [self.constant(f"{name}.scale", scale), numbers])
        return self.one("Mul", [self.one("Cast", [found], to=TensorProto.FLOAT), scales])

    def norm(self, name: str, source: str, gain: Floats, offset: Floats) -> str:
        """Append a layer normalisation over the last axis."""
        inputs = [source, self.constant(f"{name}.gain", gain), self.constant(f"{name}.offset", offset)]
        return self.one("LayerNormalization", inputs, axis=-1, epsilon=1e-12)

    def either(self, condition: str, yes: NodeProto, no: NodeProto) -> str:
        """Append a choice between two operators with one output each; they may read tensors of this graph."""
        branches = [
            helper.make_graph(
                [node],
                node.output[0],
                [],
                [helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)],
            )
            for node in (yes, no)
        ]
        return self.one("If", [condition], then_branch=branches[0], else_branch=branches[1])

    def batched(self, *, result: str, dimension: int) -> ModelProto:
        """Close the graph: (texts, tokens) numbers and mask in, `hidden` (texts, tokens, dimension) out."""
        self._nodes.append(helper.make_node("Identity", [result], ["hidden"], name="hidden"))
        shape: list[int | str] = ["texts", "tokens"]
        names = ("input_ids", "attention_mask")
        return self._closed(
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in names],
            [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [*shape, dimension])],
        )

    def model(self, *, source: str, result: str, output: str, dimension: int) -> ModelProto:
        """Close the graph: (1, tokens) numbers in, (1, dimension) floats out."""
        self._nodes.append(helper.make_node("Identity", [result], [output], name=output))
        return self._closed(
            [helper.make_tensor_value_info(source, TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, dimension])],
        )

    def _closed(self, inputs: list[ValueInfoProto], outputs: list[ValueInfoProto]) -> ModelProto:
        graph = helper.make_graph(self._nodes, "encoder", inputs, outputs, self._constants)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="pointsman")


def quantised(values: Floats, *, axis: int) -> tuple[NDArray[np.int8], Floats]:
    """Round to int8 with one symmetric scale for each slice along the other axis (max over `axis`)."""
    scale = np.abs(values).max(axis=axis, keepdims=True).astype(np.float32) / INT8_PEAK
    scale[scale == 0] = 1
    return np.rint(values / scale).astype(np.int8), scale
