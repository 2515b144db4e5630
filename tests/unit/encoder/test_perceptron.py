import math

import numpy as np
import pytest

from pointsman.encoder import ModelFilesError
from pointsman.encoder.perceptron import Perceptron, SequenceHeads, TokenHead, gelu, softmax
from unit.encoder.toy import head, npz

LABELS = ("yes", "no", "maybe")


def arrays(**changed: object) -> bytes:
    """The file of a small head, with some arrays changed."""
    content = head(np.random.default_rng(1), 6, LABELS, 5) | {"temperature": np.float64(1.7)} | changed
    return npz({name: value for name, value in content.items() if value is not None})


def loaded(seed: int, inputs: int, inner: int) -> Perceptron:
    content = head(np.random.default_rng(seed), inputs, LABELS, inner)
    return Perceptron.from_npz(npz(content), inputs=inputs, labels=LABELS)


def by_hand(perceptron: Perceptron, values: np.ndarray) -> list[float]:
    """The definition, number by number."""
    inner = []
    for row, bias in zip(perceptron.w1, perceptron.b1, strict=True):
        x = float(row.astype(np.float64) @ values + bias)
        inner.append(0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))
    scores = (perceptron.w2.astype(np.float64) @ np.array(inner) + perceptron.b2) / perceptron.temperature
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def test_joined_heads_say_what_each_says_by_itself() -> None:
    """Heads of different widths, run as one product, give the probabilities of their definition."""
    heads = {"a": loaded(1, 30, 7), "b": loaded(2, 30, 16)}
    values = np.random.default_rng(3).standard_normal(30).astype(np.float32)
    found = SequenceHeads(heads).probabilities(values)
    for name, perceptron in heads.items():
        assert found[name].tolist() == pytest.approx(by_hand(perceptron, values), rel=1e-4)


@pytest.mark.parametrize("tokens", [0, 1, 3, 80, 81, 510])
def test_tokens_are_told_apart_one_by_one(tokens: int) -> None:
    """Whatever their number, each token gets the probabilities of its own vector."""
    perceptron = loaded(4, 30, 8)
    values = np.random.default_rng(5).standard_normal((tokens, 30)).astype(np.float32)
    found = softmax(TokenHead(perceptron).scores(values))
    assert found.shape == (tokens, len(LABELS))
    for row in range(0, tokens, 7):
        assert found[row].tolist() == pytest.approx(by_hand(perceptron, values[row]), rel=1e-4)


def test_gelu_keeps_its_ends() -> None:
    """Far below zero nothing passes, far above everything does."""
    assert gelu(np.array([-20, 0, 20], np.float32)).tolist() == [0, 0, 20]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        arrays(w1=np.ones((5, 7))),
        arrays(b1=None),
        arrays(b2=np.zeros(2)),
        arrays(w2=np.full((3, 5), np.nan)),
        arrays(temperature=0.0),
        arrays(labels=np.array(["yes", "no", "other"])),
        arrays(labels=np.array([{"a": 1}] * 3, dtype=object)),
    ],
)
def test_a_broken_head_is_a_clear_error(content: bytes) -> None:
    """Missing arrays, wrong shapes, numbers that are none, pickles and strange labels are refused."""
    with pytest.raises(ModelFilesError, match="head"):
        Perceptron.from_npz(content, inputs=6, labels=LABELS)
