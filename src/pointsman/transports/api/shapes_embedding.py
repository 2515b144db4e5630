"""Requests and answers about embeddings, field by field as the semantic router has them."""

from typing import Annotated, Any

import msgspec

Dimension = Annotated[int, msgspec.Meta(ge=0, le=1024)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class EmbeddingsRequest(msgspec.Struct, frozen=True):
    """Texts to embed."""

    texts: list[str] = []
    images: list[Any] = []
    """Refused unless empty: the model reads texts only."""
    model: str = "auto"
    dimension: Dimension = 0
    """The model's own, or 0."""
    quality_priority: float = 0.5
    """Accepted without effect, as are the fields below: there is one model."""
    latency_priority: float = 0.5
    target_layer: int = 0
    sequence_length: int = 0


class TextEmbedding(msgspec.Struct, frozen=True):
    """The unit vector of one text."""

    text: str
    embedding: list[float]
    dimension: int
    model_used: str
    """Vectors of two names must not be compared."""
    processing_time_ms: int
    modality: str = "text"


class EmbeddingsResponse(msgspec.Struct, frozen=True):
    """One vector for each text, in order."""

    embeddings: list[TextEmbedding]
    total_count: int
    total_processing_time_ms: int
    avg_processing_time_ms: float


class SimilarityRequest(msgspec.Struct, frozen=True):
    """Two texts to compare."""

    text1: str
    text2: str
    model: str = "auto"
    dimension: Dimension = 0


class SimilarityResponse(msgspec.Struct, frozen=True):
    """Cosine similarity, from -1 to 1."""

    model_used: str
    similarity: float
    processing_time_ms: int


class SimilarityBatchRequest(msgspec.Struct, frozen=True):
    """A text and those to compare it with."""

    query: str
    candidates: list[str]
    top_k: Count = 0
    """Most matches; 0 for all."""
    model: str = "auto"
    dimension: Dimension = 0


class SimilarityMatch(msgspec.Struct, frozen=True):
    """One candidate; `index` is its place in the request."""

    index: int
    similarity: float
    text: str


class SimilarityBatchResponse(msgspec.Struct, frozen=True):
    """Candidates, the most similar first."""

    matches: list[SimilarityMatch]
    total_candidates: int
    model_used: str
    processing_time_ms: int
