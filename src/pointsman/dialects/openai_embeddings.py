"""OpenAI embeddings: read just enough to place the request; the body passes as it came."""

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect
from pointsman.dialects.body import decode


class _Embeddings(msgspec.Struct):
    model: str
    input: msgspec.Raw
    user: str | None = None


_DECODER = msgspec.json.Decoder(_Embeddings)


def understand(raw: bytes) -> ChatRequest:
    """Read an embeddings request. Raises ``RequestError`` naming the field at fault."""
    body = decode(raw, _DECODER)
    if not body.model:
        raise RequestError("model: must not be empty", param="model")
    return ChatRequest(
        dialect=Dialect.OPENAI_EMBEDDINGS, model=body.model, messages=(), raw=raw, user=body.user or ""
    )
