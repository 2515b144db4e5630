"""Reranking, scores, classes, vectors: the routes of models that generate nothing."""

from typing import Any

import pytest
from sim_lab import Client, drive, until

from pointsman.sim import RunningSim

DOCUMENTS = ["quarterly revenue grew", "the cat sat on the mat", "a dog"]


def _post(path: str, body: Any, **settings: Any) -> Any:
    async def scenario(_sim: RunningSim, http: Client) -> Any:
        reply = await http.post(path, body)
        return reply.status, reply.json()

    return drive(scenario, **settings)


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_rerank_puts_the_most_similar_first(path: str) -> None:
    """Documents come by falling relevance, each with its place in the request; top_n cuts."""
    body = {"model": "tiny", "query": "where did the cat sit on the mat", "documents": DOCUMENTS, "top_n": 2}
    status, answer = _post(path, body)
    assert status == 200
    assert len(answer["results"]) == 2
    first, second = answer["results"]
    assert (first["index"], first["document"]["text"]) == (1, DOCUMENTS[1])
    assert 1 >= first["relevance_score"] > second["relevance_score"] >= 0
    assert answer["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    "body",
    [
        {"text_1": "the cat", "text_2": ["the cat", "quarterly revenue"]},
        {"queries": "the cat", "documents": ["the cat", {"text": "quarterly revenue"}]},
        {"text_1": ["the cat", "the cat"], "text_2": ["the cat", "quarterly revenue"]},
    ],
)
def test_scores_of_pairs(body: Any) -> None:
    """One text with each of others, or pair by pair: equal texts score 1, others less."""
    status, answer = _post("/v1/score", body)
    same, other = (each["score"] for each in answer["data"])
    assert status == 200
    assert same == pytest.approx(1)
    assert 0 <= other < 0.9


def test_classes_add_up_to_one() -> None:
    """Each input has a label and as many probabilities as there are classes."""
    status, answer = _post("/classify", {"input": ["one", "two"]})
    assert status == 200
    assert [each["index"] for each in answer["data"]] == [0, 1]
    for each in answer["data"]:
        assert sum(each["probs"]) == pytest.approx(1)
        assert len(each["probs"]) == each["num_classes"] == 2
        assert each["label"] in {"LABEL_0", "LABEL_1"}


def test_pooling_gives_vectors() -> None:
    """Each input has a vector of the configured size."""
    status, answer = _post("/pooling", {"input": ["one", "two"]}, embedding_dimensions=8)
    assert status == 200
    assert [len(each["data"]) for each in answer["data"]] == [8, 8]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rerank", {"query": "a", "documents": []}),
        ("/rerank", {"query": "a"}),
        ("/score", {"text_1": ["a", "b"], "text_2": ["a", "b", "c"]}),
        ("/score", {"text_1": "a"}),
        ("/classify", {"input": []}),
        ("/pooling", {}),
    ],
)
def test_senseless_requests_are_400(path: str, body: Any) -> None:
    """Missing and unequal texts are a client's error."""
    assert _post(path, body)[0] == 400


@pytest.mark.parametrize("path", ["/rerank", "/v1/score", "/classify", "/pooling", "/v1/embeddings"])
def test_they_wait_for_a_slot_and_count(path: str) -> None:
    """They take a slot like any request, and an unknown model is a 404."""
    body = {"query": "a", "documents": ["b"], "text_1": "a", "text_2": "b", "input": "a"}

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream(path, body, {"x-sim-fault": "slow-first:300"}) as response:
            seen = sim.sim.engine.slots.max_running
            status = response.status
        await until(lambda: sim.load == (0, 0))
        return (
            seen,
            status,
            (await http.post(path, body | {"model": "no"})).status,
            (await http.get("/metrics")).text,
        )

    seen, status, unknown, page = drive(scenario)
    assert (seen, status, unknown) == (1, 200, 404)
    assert 'finished_reason="stop",model_name="tiny"} 1.0' in page
    assert 'vllm:generation_tokens_total{engine="0",model_name="tiny"} 0.0' in page
