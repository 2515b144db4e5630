from typing import Any

import pytest

from pointsman.transports.api import Limits

from .backend import call

EMBEDDINGS = "/api/v1/embeddings"
SIMILARITY = "/api/v1/similarity"
BATCH = "/api/v1/similarity/batch"


def post(path: str, body: Any, **given: Any) -> Any:
    """The JSON of a 200."""
    answer = call("POST", path, json=body, **given)
    assert answer.status == 200, answer.body
    return answer.json


def test_each_text_has_its_vector() -> None:
    """In order, with the name that must be equal for two vectors to be compared."""
    found = post(EMBEDDINGS, {"texts": ["x", "y"], "dimension": 2, "quality_priority": 0.9})
    assert [each.pop("processing_time_ms") >= 0 for each in found["embeddings"]] == [True, True]
    assert found["embeddings"] == [
        {"text": "x", "embedding": [1, 0], "dimension": 2, "model_used": "tiny/fp32", "modality": "text"},
        {"text": "y", "embedding": [0, 1], "dimension": 2, "model_used": "tiny/fp32", "modality": "text"},
    ]
    assert found["total_count"] == 2
    assert found["total_processing_time_ms"] >= 0
    assert found["avg_processing_time_ms"] == found["total_processing_time_ms"] / 2


def test_similarity_is_the_cosine() -> None:
    """One for texts of one direction, zero for those at a right angle."""
    for text2, wanted in (("xx", 1), ("y", 0)):
        found = post(SIMILARITY, {"text1": "x", "text2": text2, "model": "tiny/fp32"})
        assert found.pop("processing_time_ms") >= 0
        assert found == {"model_used": "tiny/fp32", "similarity": wanted}


def test_candidates_come_most_similar_first() -> None:
    """With their place in the request, and equal ones in its order."""
    found = post(BATCH, {"query": "x", "candidates": ["y", "ax", "bx"]})
    assert found.pop("processing_time_ms") >= 0
    assert found == {
        "matches": [
            {"index": 1, "similarity": 1, "text": "ax"},
            {"index": 2, "similarity": 1, "text": "bx"},
            {"index": 0, "similarity": 0, "text": "y"},
        ],
        "total_candidates": 3,
        "model_used": "tiny/fp32",
    }


def test_top_k_cuts_the_list() -> None:
    """No more matches than asked for; more than there are is no mistake."""
    body = {"query": "x", "candidates": ["y", "x"]}
    assert [match["index"] for match in post(BATCH, {**body, "top_k": 1})["matches"]] == [1]
    assert len(post(BATCH, {**body, "top_k": 9})["matches"]) == 2


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (EMBEDDINGS, {"texts": []}, "texts"),
        (EMBEDDINGS, {"texts": ["x", " "]}, "texts[1]"),
        (EMBEDDINGS, {"texts": ["x"] * 4}, "texts"),
        (EMBEDDINGS, {"texts": ["x" * 11]}, "texts[0]"),
        (EMBEDDINGS, {"texts": ["x"], "images": ["data:"]}, "images"),
        (EMBEDDINGS, {"texts": ["x"], "dimension": 768}, "dimension"),
        (EMBEDDINGS, {"texts": ["x"], "dimension": -1}, "dimension"),
        (EMBEDDINGS, {"texts": ["x"], "model": "qwen3"}, "model"),
        (SIMILARITY, {"text1": "x", "text2": ""}, "text2"),
        (SIMILARITY, {"text1": "x", "text2": "y", "model": "gemma"}, "model"),
        (BATCH, {"query": "", "candidates": ["x"]}, "query"),
        (BATCH, {"query": "x", "candidates": []}, "candidates"),
        (BATCH, {"query": "x", "candidates": ["x"] * 4}, "candidates"),
        (BATCH, {"query": "x", "candidates": ["x"], "top_k": -1}, "top_k"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(path: str, body: Any, field: str) -> None:
    """Blank, too long, too many, of another kind, size or model: a 400 that names the field."""
    answer = call("POST", path, json=body, limits=Limits(max_batch=3, max_text_chars=10))
    assert answer.status == 400
    assert answer.error["field"] == field
