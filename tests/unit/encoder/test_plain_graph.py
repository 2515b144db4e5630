import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pointsman.encoder import EngineMissing, ModelFilesError
from pointsman.encoder.folder import GRAPH, SHIPPED
from pointsman.encoder.ort_engine import OrtEngine
from pointsman.encoder.plain_graph import plain_graph

DIMENSION = 384
ROW = [101, 2054, 2003, 1996, 13751, 1997, 1060, 102]


@pytest.fixture(scope="module")
def shipped_graph() -> bytes:
    return (SHIPPED / GRAPH).read_bytes()


@pytest.fixture(scope="module")
def plain(shipped_graph: bytes) -> bytes:
    return plain_graph(shipped_graph, dimension=DIMENSION)


@pytest.fixture(scope="module")
def engine(plain: bytes) -> OrtEngine:
    """The default engine knows the standard operators too."""
    return OrtEngine(plain, dimension=DIMENSION)


def arrays(*rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Pad rows of word piece numbers, and mask the padding."""
    longest = max(map(len, rows))
    return (
        np.array([row + [7] * (longest - len(row)) for row in rows], dtype=np.int64),
        np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows], dtype=np.int64),
    )


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Of the means over the tokens."""
    left, right = one.mean(axis=0), other.mean(axis=0)
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def graph_of(*nodes: onnx.NodeProto) -> bytes:
    """A graph with the inputs and the output of ours."""
    shape = ["texts", "tokens"]
    graph = helper.make_graph(
        [*nodes],
        "toy",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [*shape, 4])],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    content: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return content


def test_every_operator_is_a_standard_one(plain: bytes) -> None:
    """The spelt-out graph is valid ONNX, has no other domain, no choices, and nothing that nobody reads."""
    model = onnx.load_model_from_string(plain)
    onnx.checker.check_model(model, full_check=True)
    assert [each.domain for each in model.opset_import] == [""]
    assert {node.domain for node in model.graph.node} == {""}
    assert "If" not in {node.op_type for node in model.graph.node}
    read = {name for node in model.graph.node for name in node.input} | {"hidden"}
    assert {name for node in model.graph.node for name in node.output} <= read
    assert {each.name for each in model.graph.initializer} <= read


def test_the_weights_stay_in_eight_bits(shipped_graph: bytes, plain: bytes) -> None:
    """Spelling out adds names and a few numbers, not the weights over again in floats."""
    assert len(plain) < 1.01 * len(shipped_graph)


def test_its_layer_is_that_of_the_shipped_graph_less_the_rounding(
    shipped_graph: bytes, engine: OrtEngine
) -> None:
    """Cosine above 0.98 to the int8 pass, which rounds activations too."""
    rounded = OrtEngine(shipped_graph, dimension=DIMENSION).hidden(*arrays(ROW))[0]
    assert cosine(engine.hidden(*arrays(ROW))[0], rounded) > 0.98


def test_padding_is_not_read(engine: OrtEngine) -> None:
    """Beside a longer text each token has the layer it has alone."""
    short = ROW[:4]
    together = engine.hidden(*arrays(ROW, short))
    for place, row in enumerate((ROW, short)):
        alone = engine.hidden(*arrays(row))[0]
        assert np.allclose(together[place, : len(row)], alone, atol=1e-4)


def test_an_operator_that_is_not_known_is_named() -> None:
    """A fused operator that no rule spells out is an error with its name, not a graph that fails later."""
    node = helper.make_node("FastGelu", ["input_ids"], ["hidden"], domain="com.microsoft")
    with pytest.raises(ModelFilesError, match="FastGelu, which only onnxruntime knows"):
        plain_graph(graph_of(node), dimension=4)


def test_a_choice_that_is_no_attention_is_named() -> None:
    """Of choices only the one between two attentions is known."""
    branch = helper.make_graph(
        [helper.make_node("Identity", ["input_ids"], ["kept"])],
        "branch",
        [],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, None)],
    )
    node = helper.make_node("If", ["attention_mask"], ["hidden"], then_branch=branch, else_branch=branch)
    with pytest.raises(ModelFilesError, match="choice of Identity"):
        plain_graph(graph_of(node), dimension=4)


def test_what_is_no_graph_is_an_error_of_the_model_files() -> None:
    """Bytes that are not ONNX, and fused operators used in another way, are refused as such."""
    strange = helper.make_node("DynamicQuantizeMatMul", ["input_ids"], ["hidden"], domain="com.microsoft")
    for content in (b"not a graph", graph_of(strange)):
        with pytest.raises(ModelFilesError, match="not a graph that can be spelt out"):
            plain_graph(content, dimension=4)


def test_without_onnx_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the line to type."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EngineMissing, match=r"pip install 'pointsman\[openvino\]'"):
        plain_graph(b"", dimension=4)
