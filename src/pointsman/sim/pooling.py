"""POST /rerank, /score, /classify and /pooling: what models that generate nothing answer."""

import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated, Any

import msgspec

from pointsman.sim import errors
from pointsman.sim.completions import TokenId, prompts
from pointsman.sim.embeddings import job_of, split_inputs, usage_of, vector
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Reading

_SCORE_DIMENSIONS = 64  # enough to tell shared words from chance
LABELS = ("LABEL_0", "LABEL_1")

Text = str | dict[str, Any]
"""A text, or an object with one under `text`."""


class RerankBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; like vLLM it accepts any others."""

    query: Text
    documents: list[Text]
    model: str | None = None
    top_n: Annotated[int, msgspec.Meta(ge=0)] | None = None


class ScoreBody(msgspec.Struct, frozen=True):
    """Two texts or lists, by any of the names vLLM knows them."""

    text_1: Text | list[Text] | None = None
    text_2: Text | list[Text] | None = None
    queries: Text | list[Text] | None = None
    documents: Text | list[Text] | None = None
    items: Text | list[Text] | None = None
    model: str | None = None


class InputBody(msgspec.Struct, frozen=True):
    """Text in any of the forms of an embedding request."""

    input: str | list[str | TokenId | list[TokenId]]
    model: str | None = None


def rerank(envelope: Envelope, models: Models) -> Reading:
    """Documents by relevance to a query, best first. Raises ApiError (400, 404)."""
    body = envelope.read_as(RerankBody)
    model = models.resolve(body.model)
    query, documents = _text(body.query), [_text(each) for each in body.documents]
    if not documents:
        raise errors.invalid("documents must not be empty", "documents")
    inputs = split_inputs([query, *documents], models)
    scores = [similarity(query, each) for each in documents]
    best = sorted(range(len(documents)), key=lambda index: -scores[index])
    results = [
        {
            "index": index,
            "document": {"text": documents[index], "multi_modal": None},
            "relevance_score": scores[index],
        }
        for index in best[: body.top_n or None]
    ]
    answer = {
        "id": f"rerank-{envelope.request_id}",
        "model": model,
        "usage": usage_of(inputs),
        "results": results,
    }
    return Reading(job_of(model, inputs), answer)


def score(envelope: Envelope, models: Models) -> Reading:
    """Similarity of pairs, or of one text with each of others. Raises ApiError (400, 404)."""
    body = envelope.read_as(ScoreBody)
    model = models.resolve(body.model)
    left = _texts(_first(body.text_1, body.queries), "text_1")
    right = _texts(_first(body.text_2, body.documents, body.items), "text_2")
    if len(left) not in {1, len(right)}:
        raise errors.invalid("text_1 must be one text, or as many as text_2", "text_1")
    inputs = split_inputs([*left, *right], models)
    pairs = zip(left * len(right) if len(left) == 1 else left, right, strict=True)
    data = [
        {"index": index, "object": "score", "score": similarity(one, other)}
        for index, (one, other) in enumerate(pairs)
    ]
    return Reading(job_of(model, inputs), _listing(envelope, model, "score", data, inputs))


def classify(envelope: Envelope, models: Models) -> Reading:
    """A label for each input, by nothing but the text's hash. Raises ApiError (400, 404)."""
    body = envelope.read_as(InputBody)
    model = models.resolve(body.model)
    texts = prompts(body.input)
    inputs = split_inputs(texts, models)
    data = []
    for index, text in enumerate(texts):
        share = blake2b(text.encode(errors="replace"), digest_size=1).digest()[0] / 255.0
        probabilities = [share, 1.0 - share]
        label = LABELS[probabilities.index(max(probabilities))]
        data.append(
            {"index": index, "label": label, "probs": probabilities, "num_classes": len(probabilities)}
        )
    return Reading(job_of(model, inputs), _listing(envelope, model, "classify", data, inputs))


def pool(envelope: Envelope, models: Models) -> Reading:
    """A vector for each input, the one /v1/embeddings gives. Raises ApiError (400, 404)."""
    body = envelope.read_as(InputBody)
    model = models.resolve(body.model)
    texts = prompts(body.input)
    inputs = split_inputs(texts, models)
    size = models.settings.embedding_dimensions
    data = [
        {"index": index, "object": "pooling", "data": vector(text, size).tolist()}
        for index, text in enumerate(texts)
    ]
    return Reading(job_of(model, inputs), _listing(envelope, model, "pool", data, inputs))


def similarity(left: str, right: str) -> float:
    """0 to 1: how many words two texts share."""
    cosine = float(vector(left, _SCORE_DIMENSIONS) @ vector(right, _SCORE_DIMENSIONS))
    return min(1.0, max(0.0, (1.0 + cosine) / 2.0))


def _listing(
    envelope: Envelope, model: str, prefix: str, data: list[Any], inputs: Sequence[Sequence[str]]
) -> dict[str, Any]:
    return {
        "id": f"{prefix}-{envelope.request_id}",
        "object": "list",
        "created": int(time.time()),
        "model": model,
        "data": data,
        "usage": usage_of(inputs),
    }


def _first(*given: Text | list[Text] | None) -> Text | list[Text] | None:
    return next((each for each in given if each is not None), None)


def _texts(given: Text | list[Text] | None, field: str) -> list[str]:
    texts = given if isinstance(given, list) else [] if given is None else [given]
    if not texts:
        raise errors.invalid(f"Field required: {field}", field)
    return [_text(each) for each in texts]


def _text(given: Text) -> str:
    if isinstance(given, str):
        return given
    text = given.get("text")
    return text if isinstance(text, str) else ""
