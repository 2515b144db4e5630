"""POST /v1/embeddings: vectors from hashed words, so equal texts are equal and similar ones similar."""

import time
from base64 import b64encode
from collections import Counter
from hashlib import shake_128
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman.sim import errors, tokens
from pointsman.sim.completions import TokenId, prompts
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.settings import SimSettings

Vector = NDArray[np.float32]

MAX_INPUTS = 2048
MAX_DIMENSIONS = 8192


class EmbeddingBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; like vLLM it accepts any others."""

    input: str | list[str | TokenId | list[TokenId]]
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MAX_DIMENSIONS)] | None = None


def document(envelope: Envelope, settings: SimSettings) -> dict[str, Any]:
    """The answer to an embedding request. Raises ApiError (400, 404)."""
    body = envelope.read_as(EmbeddingBody)
    models = Models(settings)
    model = models.resolve(body.model)
    texts = prompts(body.input)
    if len(texts) > MAX_INPUTS:
        raise errors.ApiError(400, f"at most {MAX_INPUTS} inputs a request", param="input")
    lengths = [len(tokens.split(text)) for text in texts]
    models.answer_length(max(lengths), 1)
    size = body.dimensions or settings.embedding_dimensions
    data = [
        {
            "index": index,
            "object": "embedding",
            "embedding": _encoded(vector(text, size), body.encoding_format),
        }
        for index, text in enumerate(texts)
    ]
    usage = {
        "prompt_tokens": sum(lengths),
        "total_tokens": sum(lengths),
        "completion_tokens": 0,
        "prompt_tokens_details": None,
    }
    return {
        "id": f"embd-{envelope.request_id}",
        "object": "list",
        "created": int(time.time()),
        "model": model,
        "data": data,
        "usage": usage,
    }


def vector(text: str, size: int) -> Vector:
    """A unit vector of this size: the sum of one pseudo-random direction a word."""
    total = np.zeros(size)
    for word, times in Counter(text.lower().split() or [text]).items():
        direction = np.frombuffer(shake_128(word.encode()).digest(size), np.uint8)
        total += times * (direction - 127.5)
    length = float(np.linalg.norm(total)) or 1.0  # in few dimensions words can cancel out
    return (total / length).astype("<f4")


def _encoded(values: Vector, form: str | None) -> list[float] | str:
    return b64encode(values.tobytes()).decode() if form == "base64" else values.tolist()
