"""Errors in Anthropic's shape, and translated to and from OpenAI's.

Shape: ``{"type": "error", "error": {"type", "message"}}``.
"""

from typing import Any

import msgspec

from pointsman.core.errors import HttpError
from pointsman.core.verdict import Reply
from pointsman.dialects import errors as openai_errors

MAX_MESSAGE = 2000
"""Characters of an upstream's text that are passed on."""

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_CHAT_TYPES = {
    "api_error": "internal_error",
    "overloaded_error": "service_unavailable",
    "request_too_large": "invalid_request_error",
}
_OVERLOADED, _UNAVAILABLE = 529, 503
_STATUSES = {**{kind: status for status, kind in _TYPES.items()}, "overloaded_error": _UNAVAILABLE}


class TranslatedError(msgspec.Struct, frozen=True):
    """An error answer in the client's format."""

    status: int
    body: bytes


class _Said(msgspec.Struct):
    message: Any = None
    type: Any = None


class _Error(msgspec.Struct):
    """Both shapes, vLLM's older one (``message`` at the top) included."""

    error: _Said | str | None = None
    message: Any = None


_ERROR = msgspec.json.Decoder(_Error)


def error_type(status: int) -> str:
    """Anthropic's error type for a status."""
    if status in _TYPES:
        return _TYPES[status]
    return "invalid_request_error" if 400 <= status < 500 else "api_error"


def error_document(kind: str, message: str) -> dict[str, Any]:
    """The error as Anthropic writes it, in a body and in a stream alike."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def chat_error_document(kind: str, message: str, code: int) -> dict[str, Any]:
    """The error as OpenAI clients expect it; ``code`` is the HTTP status, as in ``dialects.errors``."""
    kind = _CHAT_TYPES.get(kind, kind)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_reply(error: HttpError) -> Reply:
    """Render one of our own errors for an Anthropic client; status and headers as for OpenAI."""
    reply = openai_errors.error_reply(error)
    document = error_document(error_type(error.status), error.message)
    return Reply(reply.status, reply.headers, msgspec.json.encode(document))


def chat_error_to_messages(status: int, body: bytes) -> TranslatedError:
    """An OpenAI engine's error (or any text) for an Anthropic client; 503 becomes 529."""
    message, _ = _said(status, body)
    out = _OVERLOADED if status == _UNAVAILABLE else status
    return TranslatedError(out, msgspec.json.encode(error_document(error_type(status), message)))


def messages_error_to_chat(status: int, body: bytes) -> TranslatedError:
    """An Anthropic provider's error (or any text) for an OpenAI client. 529 becomes 503."""
    message, kind = _said(status, body)
    out = _UNAVAILABLE if status == _OVERLOADED else status
    document = chat_error_document(kind or error_type(status), message, out)
    return TranslatedError(out, msgspec.json.encode(document))


def status_of(kind: str) -> int:
    """The status that says an error type to an OpenAI client; 500 for unknown ones."""
    return _STATUSES.get(kind, 500)


def said(error: Any) -> tuple[str, str | None]:
    """Message and type of an error object of either API, however odd it is."""
    if not isinstance(error, dict):
        return _text(error) or "the upstream reported an error", None
    message, kind = _text(error.get("message")), error.get("type")
    return message or "the upstream reported an error", kind if isinstance(kind, str) and kind else None


def _said(status: int, body: bytes) -> tuple[str, str | None]:
    try:
        error = _ERROR.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _text(body.decode(errors="replace")) or _silence(status), None
    inner = error.error
    if isinstance(inner, _Said):
        kind = inner.type if isinstance(inner.type, str) and inner.type else None
        return _text(inner.message) or _silence(status), kind
    return _text(inner) or _text(error.message) or _silence(status), None


def _text(value: Any) -> str:
    return value.strip()[:MAX_MESSAGE] if isinstance(value, str) else ""


def _silence(status: int) -> str:
    return f"the upstream answered {status} without a message"
