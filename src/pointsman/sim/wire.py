"""JSON and server-sent events, as bytes."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

DONE = b"data: [DONE]\n\n"


class BadJsonError(ValueError):
    """Bytes that are not JSON, or JSON of another shape than asked for."""


def load(body: bytes, shape: type[T]) -> T:
    """Parse JSON into a typed value. Raises BadJsonError."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (ValueError, RecursionError) as error:  # ValueError covers bad UTF-8, bad JSON and wrong types
        raise BadJsonError(str(error)) from None


def dump(value: Any) -> bytes:
    """JSON without blanks, as vLLM sends it."""
    return msgspec.json.encode(value)


def event(value: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"
