"""Handlers that embed and compare texts."""

from collections.abc import Sequence

from aiohttp import web

from pointsman.core.errors import RequestError
from pointsman.transports.api.backend import EmbeddingModel
from pointsman.transports.api.context import Context, answer
from pointsman.transports.api.shapes_embedding import (
    EmbeddingsRequest,
    EmbeddingsResponse,
    SimilarityBatchRequest,
    SimilarityBatchResponse,
    SimilarityMatch,
    SimilarityRequest,
    SimilarityResponse,
    TextEmbedding,
)

_ANY = frozenset({"", "auto"})


async def embeddings(context: Context, request: web.Request) -> web.Response:
    """The vector of each text, one after the other."""
    asked = await context.read(request, EmbeddingsRequest)
    if asked.images:
        raise RequestError("images: the model reads texts only", param="images")
    context.check_texts(asked.texts, "texts")
    model = _model(context, asked.model, asked.dimension)
    started = context.clock()
    with context.gate.enter():
        found = [await _embedded(context, model, text) for text in asked.texts]
    total = context.elapsed_ms(started)
    return answer(EmbeddingsResponse(found, len(found), total, total / len(found)))


async def similarity(context: Context, request: web.Request) -> web.Response:
    """How alike two texts are."""
    asked = await context.read(request, SimilarityRequest)
    context.check_text(asked.text1, "text1")
    context.check_text(asked.text2, "text2")
    model = _model(context, asked.model, asked.dimension)
    started = context.clock()
    with context.gate.enter():
        left, right = await context.backend.embed(asked.text1), await context.backend.embed(asked.text2)
    return answer(SimilarityResponse(model.name, _cosine(left, right), context.elapsed_ms(started)))


async def similarity_batch(context: Context, request: web.Request) -> web.Response:
    """Which texts are most like another."""
    asked = await context.read(request, SimilarityBatchRequest)
    context.check_text(asked.query, "query")
    context.check_texts(asked.candidates, "candidates")
    model = _model(context, asked.model, asked.dimension)
    started = context.clock()
    with context.gate.enter():
        query = await context.backend.embed(asked.query)
        matches = [
            SimilarityMatch(index, _cosine(query, await context.backend.embed(text)), text)
            for index, text in enumerate(asked.candidates)
        ]
    matches.sort(key=lambda match: (-match.similarity, match.index))
    return answer(
        SimilarityBatchResponse(
            matches=matches[: asked.top_k] if asked.top_k else matches,
            total_candidates=len(asked.candidates),
            model_used=model.name,
            processing_time_ms=context.elapsed_ms(started),
        )
    )


async def _embedded(context: Context, model: EmbeddingModel, text: str) -> TextEmbedding:
    started = context.clock()
    vector = list(await context.backend.embed(text))
    return TextEmbedding(text, vector, len(vector), model.name, context.elapsed_ms(started))


def _model(context: Context, name: str, dimension: int) -> EmbeddingModel:
    """The one model. Raises `RequestError` when another, or a vector of another size, was asked for."""
    model = context.backend.embedding_model()
    if name not in _ANY and name != model.name:
        raise RequestError(f"model: {name!r} is not here; use 'auto' or {model.name!r}", param="model")
    if dimension not in {0, model.dimension}:
        message = f"dimension: the model gives {model.dimension}, not {dimension}; leave it out"
        raise RequestError(message, param="dimension")
    return model


def _cosine(left: Sequence[float], right: Sequence[float]) -> float:
    product = sum(one * other for one, other in zip(left, right, strict=True))
    # Rounding may carry the product of two unit vectors a hair past one.
    return max(-1.0, min(1.0, product))
