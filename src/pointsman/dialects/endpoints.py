"""The data plane's paths: which method each takes and which dialect its body is in. One table."""

from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

import msgspec

from pointsman.core.errors import EndpointNotFound, MethodNotAllowed
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.core.verdict import Reply
from pointsman.dialects import (
    engine,
    openai_chat,
    openai_completions,
    openai_embeddings,
    openai_responses,
)
from pointsman.dialects.anthropic import messages
from pointsman.dialects.forwarded import Forwarded, kept, operators

MODELS_PATH = "/v1/models"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class Answer(Protocol):
    """Renders an answer of the router's own in a dialect."""

    def __call__(self, text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
        """``text`` as a complete answer; ``created`` in Unix seconds."""


class Endpoint(msgspec.Struct, frozen=True):
    """One path that carries a body for a model."""

    path: str
    dialect: Dialect
    understand: Callable[[Head, bytes], ChatRequest]
    answer: Answer | None = None
    """``None`` where no text can be an answer (embeddings)."""
    wants: str = ""
    """What a client must name here, since no decision can be made; empty where one can."""
    unknown_model: int = 404
    """Status for a model nobody knows, unless the document says which."""
    known: bool = True
    """Whether the path is one of this table; ``False`` for those sent on as they are."""


def _body(read: Callable[[bytes], ChatRequest]) -> Callable[[Head, bytes], ChatRequest]:
    """For bodies that say everything themselves."""
    return lambda _head, raw: read(raw)


def _engine(wants: str, *paths: str) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(path, Dialect.ENGINE, engine.understand, wants=wants) for path in paths)


_DECIDED = (
    ("/v1/chat/completions", Dialect.OPENAI_CHAT, openai_chat.understand, openai_chat.answer),
    (
        "/v1/completions",
        Dialect.OPENAI_COMPLETIONS,
        openai_completions.understand,
        openai_completions.answer,
    ),
    (
        openai_responses.PATH,
        Dialect.OPENAI_RESPONSES,
        openai_responses.understand,
        openai_responses.answer,
    ),
    (messages.PATH, Dialect.ANTHROPIC_MESSAGES, messages.understand, messages.answer),
)
_CONTRACT = 400
"""What the semantic router says to an unknown model, on the paths that it has, too."""

ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        *(
            Endpoint(path, dialect, _body(read), answer, unknown_model=_CONTRACT)
            for path, dialect, read, answer in _DECIDED
        ),
        Endpoint(
            "/v1/embeddings",
            Dialect.OPENAI_EMBEDDINGS,
            _body(openai_embeddings.understand),
            wants="an embedding model",
            unknown_model=_CONTRACT,
        ),
        *_engine("a reranking model", "/v1/rerank", "/rerank", "/v2/rerank"),
        *_engine("a scoring model", "/v1/score", "/score"),
        *_engine("a pooling model", "/pooling"),
        *_engine("a classification model", "/classify"),
        *_engine("the model whose tokens are meant", "/tokenize", "/detokenize", messages.COUNT_PATH),
        *_engine("a transcription model", "/v1/audio/transcriptions", "/v1/audio/translations"),
        *_engine("a speech model", "/v1/audio/speech"),
        *_engine("an image model", "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"),
    )
}


def dialect_of(head: Head) -> Dialect:
    """The dialect of errors for this request, whether or not it names an endpoint; OpenAI's unless told."""
    path = head.route_path
    if path == messages.PATH or path.startswith(f"{messages.PATH}/"):
        return Dialect.ANTHROPIC_MESSAGES
    endpoint = ENDPOINTS.get(path)
    return endpoint.dialect if endpoint is not None else Dialect.OPENAI_CHAT


def endpoint_for(head: Head, forwarded: Forwarded = Forwarded()) -> Endpoint:  # noqa: B008  # frozen
    """The endpoint a request line names, or one that sends it on as it is.

    Raises ``EndpointNotFound`` (404) or ``MethodNotAllowed`` (405).
    """
    path = head.route_path
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        return _sent_on(head, forwarded)
    if head.method != "POST":
        raise MethodNotAllowed(f"method {head.method} is not allowed on {path}; use POST")
    return endpoint


def not_found(path: str, forwarded: Forwarded = Forwarded()) -> EndpointNotFound:  # noqa: B008  # frozen
    """What to say about a path that goes nowhere."""
    if operators(path):
        return EndpointNotFound(f"endpoint not found: {path} is for operators, on the management API")
    if kept(path):
        return EndpointNotFound(f"endpoint not found: {path} (gateway.files.enabled is false)")
    known = ", ".join([*ENDPOINTS, MODELS_PATH])
    below = ", ".join(forwarded.paths) or "none"
    return EndpointNotFound(f"endpoint not found: {path} (known: {known}; sent on as they are: {below})")


def _sent_on(head: Head, forwarded: Forwarded) -> Endpoint:
    path = head.route_path
    respelt = unquote(path).rstrip("/") in ENDPOINTS
    if respelt or not forwarded.takes(path):
        raise not_found(path, forwarded)
    if head.method not in _METHODS:
        raise MethodNotAllowed(f"method {head.method} is not allowed on {path}")
    return Endpoint(path, Dialect.ENGINE, engine.understand_any, wants="a model", known=False)
