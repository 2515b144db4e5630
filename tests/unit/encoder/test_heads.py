import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.heads import LinearHead, softmax

SCORES = st.lists(st.floats(-30, 30), min_size=1, max_size=20)


@given(scores=SCORES)
def test_softmax_is_what_its_definition_says(scores: list[float]) -> None:
    """Each probability is exp(score) over the sum of all."""
    powers = [math.exp(score) for score in scores]
    expected = [power / sum(powers) for power in powers]
    assert softmax(np.array(scores)).tolist() == pytest.approx(expected)


@given(scores=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_softmax_survives_any_finite_scores(scores: list[float]) -> None:
    """However large the scores, the result is finite and sums to one."""
    probabilities = softmax(np.array(scores))
    assert np.isfinite(probabilities).all()
    assert probabilities.sum() == pytest.approx(1)


@given(
    weights=arrays(np.float32, (3, 4), elements=st.floats(-4, 4, width=32)),
    lexicon=arrays(np.float32, (9, 3), elements=st.floats(-4, 4, width=32)),
    embedding=arrays(np.float32, (4,), elements=st.floats(-1, 1, width=32)),
    clues=st.lists(st.integers(0, 8), unique=True),
    temperature=st.floats(0.25, 4),
)
def test_a_head_is_the_sum_of_its_parts(
    weights: np.ndarray, lexicon: np.ndarray, embedding: np.ndarray, clues: list[int], temperature: float
) -> None:
    """A label's score is its weights times the embedding, its bias, and its clues over their count's root."""
    bias = np.array([0.5, 0.0, -0.5], dtype=np.float32)
    head = LinearHead(("a", "b", "c"), weights, bias, temperature, lexicon)
    powers = []
    for label in range(3):
        meaning = sum(float(weights[label, axis]) * float(embedding[axis]) for axis in range(4))
        words = sum(float(lexicon[piece, label]) for piece in clues) / math.sqrt(max(1, len(clues)))
        powers.append(math.exp((meaning + float(bias[label]) + words) / temperature))
    expected = [power / sum(powers) for power in powers]
    assert head.probabilities(embedding, clues).tolist() == pytest.approx(expected, rel=1e-4, abs=1e-7)


def npz(**changed: object) -> bytes:
    """Make the file of a valid head of two labels over three dimensions, with some arrays changed."""
    content: dict[str, object] = {
        "labels": np.array(["yes", "no"]),
        "weights": np.ones((2, 3)),
        "bias": np.zeros(2),
        "temperature": np.float64(1.5),
    }
    content.update(changed)
    file = io.BytesIO()
    np.savez(file, **{name: np.asarray(value) for name, value in content.items() if value is not None})
    return file.getvalue()


def test_a_head_is_read_with_or_without_words() -> None:
    """A file without a lexicon is a head on the embedding alone."""
    head = LinearHead.from_npz(npz(), dimension=3, clues=7)
    assert (head.labels, head.temperature, head.lexicon) == (("yes", "no"), 1.5, None)
    wordy = LinearHead.from_npz(npz(lexicon=np.ones((7, 2), dtype=np.float16)), dimension=3, clues=7)
    assert wordy.lexicon is not None
    assert wordy.lexicon.shape == (7, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an archive",
        npz(weights=np.ones((2, 4))),
        npz(bias=np.zeros(3)),
        npz(bias=None),
        npz(temperature=0.0),
        npz(temperature=np.nan),
        npz(weights=np.full((2, 3), np.inf)),
        npz(lexicon=np.ones((7, 3))),
        npz(lexicon=np.ones((6, 2))),
        npz(labels=np.array([{"a": 1}], dtype=object)),
    ],
)
def test_a_broken_head_is_a_clear_error(content: bytes) -> None:
    """Missing arrays, wrong shapes, infinities and pickles are refused when the head is read."""
    with pytest.raises(ModelFilesError, match="head"):
        LinearHead.from_npz(content, dimension=3, clues=7)
