import math
from typing import Any

import openai
from hypothesis import given
from hypothesis import strategies as st
from sim_lab import Client, drive

from pointsman.sim import RunningSim
from pointsman.sim.embeddings import vector


def test_the_openai_client_reads_embeddings() -> None:
    """The real client, which asks for base64, gets unit vectors of the configured size, one an input."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            decoded = await client.embeddings.create(model="tiny", input=["one two", "three"])
        plain = (await http.post("/v1/embeddings", {"input": ["one two", "three"]})).json()
        return decoded, plain

    decoded, plain = drive(scenario, embedding_dimensions=96)
    assert [len(each.embedding) for each in decoded.data] == [96, 96]
    for ours, theirs in zip(plain["data"], decoded.data, strict=True):
        assert math.isclose(math.hypot(*ours["embedding"]), 1.0, rel_tol=1e-5)
        assert all(
            math.isclose(a, b, abs_tol=1e-6) for a, b in zip(ours["embedding"], theirs.embedding, strict=True)
        )
    assert plain["usage"]["prompt_tokens"] == decoded.usage.total_tokens > 0


def test_vectors_are_deterministic_and_similar_for_similar_texts() -> None:
    """A text equals itself, resembles a text that shares words, and does not resemble another."""

    def cosine(left: str, right: str) -> float:
        return float(vector(left, 384) @ vector(right, 384))

    assert vector("the cat sat", 384).tolist() == vector("The cat sat", 384).tolist()
    assert cosine("the cat sat down", "the cat sat up") > 0.6
    assert abs(cosine("the cat sat down", "quarterly revenue grew")) < 0.3


@given(st.text(st.characters(codec="utf-8")), st.integers(min_value=1, max_value=3))
def test_any_text_has_a_finite_vector(text: str, size: int) -> None:
    """Even where words cancel out, no value is infinite or not a number."""
    assert all(math.isfinite(value) for value in vector(text, size))


def test_dimensions_can_be_asked_for() -> None:
    """`dimensions` sets the size; a nonsensical one is a 400."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        good = (await http.post("/v1/embeddings", {"input": "a", "dimensions": 8})).json()
        bad = await http.post("/v1/embeddings", {"input": "a", "dimensions": 0})
        return len(good["data"][0]["embedding"]), bad.status

    assert drive(scenario) == (8, 400)
