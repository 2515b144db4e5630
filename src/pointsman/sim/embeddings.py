"""POST /v1/embeddings: vectors from hashed words, so equal texts are equal and similar ones similar."""

import time
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from hashlib import shake_128
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman.sim import errors, tokens
from pointsman.sim.completions import TokenId, prompts
from pointsman.sim.engine import Job
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Reading

Vector = NDArray[np.float32]

MAX_INPUTS = 2048
MAX_DIMENSIONS = 8192


class EmbeddingBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; like vLLM it accepts any others."""

    input: str | list[str | TokenId | list[TokenId]]
    model: str | None = None
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=MAX_DIMENSIONS)] | None = None


def read(envelope: Envelope, models: Models) -> Reading:
    """The answer to an embedding request. Raises ApiError (400, 404)."""
    body = envelope.read_as(EmbeddingBody)
    model = models.resolve(body.model)
    texts = prompts(body.input)
    inputs = split_inputs(texts, models)
    size = body.dimensions or models.settings.embedding_dimensions
    data = [
        {
            "index": index,
            "object": "embedding",
            "embedding": _encoded(vector(text, size), body.encoding_format),
        }
        for index, text in enumerate(texts)
    ]
    answer = {
        "id": f"embd-{envelope.request_id}",
        "object": "list",
        "created": int(time.time()),
        "model": model,
        "data": data,
        "usage": usage_of(inputs),
    }
    return Reading(job_of(model, inputs), answer)


def split_inputs(texts: Sequence[str], models: Models) -> list[list[str]]:
    """The tokens of each input. Raises ApiError (400) for too many inputs and for one that is too long."""
    if len(texts) > MAX_INPUTS:
        raise errors.ApiError(400, f"at most {MAX_INPUTS} inputs a request", param="input")
    inputs = [tokens.split(text) for text in texts]
    models.answer_length(max((len(each) for each in inputs), default=0), 1)
    return inputs


def job_of(model: str, inputs: Sequence[Sequence[str]]) -> Job:
    """The work of reading all inputs."""
    return Job(model, [piece for each in inputs for piece in each], 0)


def usage_of(inputs: Sequence[Sequence[str]]) -> dict[str, Any]:
    """What a request that generates nothing costs."""
    total = sum(len(each) for each in inputs)
    return {
        "prompt_tokens": total,
        "total_tokens": total,
        "completion_tokens": 0,
        "prompt_tokens_details": None,
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
