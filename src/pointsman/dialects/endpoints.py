"""The data plane's paths: which method each takes and which dialect its body is in. One table."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from pointsman.core.errors import EndpointNotFound, MethodNotAllowed
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.core.verdict import Reply
from pointsman.dialects import openai_chat, openai_completions, openai_embeddings
from pointsman.dialects.anthropic import messages

MODELS_PATH = "/v1/models"


class Answer(Protocol):
    """Renders an answer of the router's own in a dialect."""

    def __call__(self, text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
        """``text`` as a complete answer; ``created`` in Unix seconds."""


class Endpoint(msgspec.Struct, frozen=True):
    """One path that carries a body for a model."""

    path: str
    dialect: Dialect
    understand: Callable[[bytes], ChatRequest]
    answer: Answer | None = None
    """``None`` where no text can be an answer (embeddings)."""


ENDPOINTS: dict[str, Endpoint] = {
    endpoint.path: endpoint
    for endpoint in (
        Endpoint("/v1/chat/completions", Dialect.OPENAI_CHAT, openai_chat.understand, openai_chat.answer),
        Endpoint(
            "/v1/completions",
            Dialect.OPENAI_COMPLETIONS,
            openai_completions.understand,
            openai_completions.answer,
        ),
        Endpoint(messages.PATH, Dialect.ANTHROPIC_MESSAGES, messages.understand, messages.answer),
        Endpoint("/v1/embeddings", Dialect.OPENAI_EMBEDDINGS, openai_embeddings.understand),
    )
}


def dialect_of(head: Head) -> Dialect:
    """The dialect of errors for this request, whether or not it names an endpoint; OpenAI's unless told."""
    path = head.route_path
    if path == messages.PATH or path.startswith(f"{messages.PATH}/"):
        return Dialect.ANTHROPIC_MESSAGES
    endpoint = ENDPOINTS.get(path)
    return endpoint.dialect if endpoint is not None else Dialect.OPENAI_CHAT


def endpoint_for(head: Head) -> Endpoint:
    """The endpoint a request line names. Raises ``EndpointNotFound`` (404) or ``MethodNotAllowed`` (405)."""
    path = head.route_path
    endpoint = ENDPOINTS.get(path)
    if endpoint is None:
        known = ", ".join([*ENDPOINTS, MODELS_PATH])
        raise EndpointNotFound(f"endpoint not found: {path} (known: {known})")
    if head.method != "POST":
        raise MethodNotAllowed(f"method {head.method} is not allowed on {path}; use POST")
    return endpoint
