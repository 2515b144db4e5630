"""The shipped folder through its real graph."""

import asyncio

import numpy as np
import pytest

from pointsman.encoder import Encoder, EncoderError, ModelFilesError
from pointsman.encoder.folder import GRAPH, SHIPPED
from pointsman.encoder.ort_engine import OrtEngine
from pointsman.encoder.tokenizer import cut

TEXTS = [
    "What is the derivative of x squared?",
    "ok thanks",
    "Write a Python function that reverses a linked list",
    "Who was the first emperor of Rome?",
    "Tell me a joke",
    "牛顿第二定律是什么？",
    "How do supply and demand determine prices?",
    "Call me at 555-0100 tomorrow",
]


@pytest.fixture(scope="module")
def engine() -> OrtEngine:
    return OrtEngine((SHIPPED / GRAPH).read_bytes(), dimension=384)


def numbers(*rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Pad rows of word piece numbers, and mask the padding."""
    longest = max(map(len, rows))
    padded = np.array([row + [0] * (longest - len(row)) for row in rows], dtype=np.int64)
    return padded, np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows], dtype=np.int64)


def test_a_text_alone_gives_the_same_bits_every_time(shipped: Encoder) -> None:
    """`embed` agrees to the last bit between encoders, whatever they read before and beside it."""
    other = Encoder.load(cache_entries=0)

    async def crowd() -> list[bytes]:
        _, *vectors = await asyncio.gather(
            asyncio.gather(*(other.encode(text) for text in TEXTS)), *(other.embed(text) for text in TEXTS)
        )
        return [vector.tobytes() for vector in vectors]

    assert asyncio.run(crowd()) == [shipped.encode_now(text).embedding.tobytes() for text in TEXTS]
    other.close()


def test_a_shared_pass_stays_near_the_pass_alone(shipped: Encoder) -> None:
    """Rounding over a whole batch moves vectors by a little: cosine 0.9, probabilities by 0.15, no more."""
    alone = [shipped.encode_now(text) for text in TEXTS]
    together = [found.encoding for found in shipped._model.read([cut(text) for text in TEXTS])]
    for one, other in zip(alone, together, strict=True):
        assert one.embedding @ other.embedding > 0.9
        assert abs(one.jailbreak - other.jailbreak) < 0.15
        assert all(abs(one.domains[label] - other.domains[label]) < 0.15 for label in one.domains)


def test_padding_behind_the_mask_changes_nothing(engine: OrtEngine) -> None:
    """What the padding consists of and how much there is of it leaves the real tokens' layer as it was."""
    row = [101, 2054, 2003, 1996, 102]
    exact = engine.hidden(*numbers(row))[0]
    padded, mask = numbers(row, row + [0] * 3)
    mask[:, 5:] = 0
    with_padding = engine.hidden(padded, mask)
    cosine = (exact * with_padding[0, :5]).sum() / np.linalg.norm(exact) / np.linalg.norm(with_padding[0, :5])
    assert cosine > 0.9
    assert with_padding[0, :5].tobytes() == with_padding[1, :5].tobytes()


def test_exact_mode_and_vnni_give_the_same_layer(engine: OrtEngine) -> None:
    """Exact sums and the sums of a processor that does not clip agree to the last bit, padded or not."""
    exact = OrtEngine((SHIPPED / GRAPH).read_bytes(), dimension=384, precise=True)
    for rows in ([[101, *range(2000, 2060), 102]], [[101, 2054, 2003, 102], [101, 102]]):
        assert exact.hidden(*numbers(*rows)).tobytes() == engine.hidden(*numbers(*rows)).tobytes()


def test_a_failing_pass_is_an_encoder_error(engine: OrtEngine) -> None:
    """A number outside the table, or more tokens than there are positions, is reported as ours."""
    for row in ([10**6], [101] * 600):
        with pytest.raises(EncoderError, match="pass failed"):
            engine.hidden(*numbers(row))


def test_a_graph_of_another_shape_is_refused() -> None:
    """The dimension the manifest promises is checked against the graph itself."""
    with pytest.raises(ModelFilesError, match="wanted input_ids and attention_mask"):
        OrtEngine((SHIPPED / GRAPH).read_bytes(), dimension=768)


def test_an_encoding_is_whole(shipped: Encoder) -> None:
    """All heads answer with probabilities, of a short text as of one that is cut."""
    for text in ("Hello", "word " * 5000):
        encoding = shipped.encode_now(text)
        assert np.linalg.norm(encoding.embedding) == pytest.approx(1, abs=1e-5)
        assert sum(encoding.domains.values()) == pytest.approx(1, abs=1e-5)
        assert sum(encoding.complexity.values()) == pytest.approx(1, abs=1e-5)
        assert 0 <= encoding.jailbreak <= 1
        assert encoding.truncated is (text != "Hello")


def test_nothing_in_an_encoding_can_be_changed(shipped: Encoder) -> None:
    """Neither the vector nor the probabilities accept a write."""
    encoding = shipped.encode_now("shared")
    with pytest.raises(ValueError, match="read-only"):
        encoding.embedding[0] = 1
    with pytest.raises(TypeError):
        encoding.domains["math"] = 1.0  # type: ignore[index]
