"""Requests in an engine's own API: read just enough to place them; the body passes as it came."""

from typing import Any

import msgspec

from pointsman.core import headers as names
from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Head
from pointsman.dialects.body import decode, parse_object
from pointsman.dialects.form import boundary_of, parse_form


class _Fields(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    user: Any = None
    messages: list[Any] | None = None


_DECODER = msgspec.json.Decoder(_Fields)
_YES = frozenset({"1", "true", "on", "yes"})


def understand(head: Head, raw: bytes) -> ChatRequest:
    """Read a request for an endpoint we know. Its model is empty where the request names none.

    Raises ``RequestError`` for a body that is neither a JSON object nor a form.
    """
    boundary = boundary_of(head.headers.get("content-type", ""))
    if boundary:
        form = parse_form(raw, boundary)
        model, stream = form.get("model"), str(form.get("stream") or "").lower() in _YES
        if model == "":
            raise RequestError("model: must not be empty", param="model")
        return _request(head, raw, model, stream=stream, boundary=boundary)
    fields = decode(raw, _DECODER)
    if fields.model == "":
        raise RequestError("model: must not be empty", param="model")
    user = fields.user if isinstance(fields.user, str) else ""
    return _request(head, raw, fields.model, stream=bool(fields.stream), user=user)


def understand_any(head: Head, raw: bytes) -> ChatRequest:
    """Read a request for a path nobody here knows: it may have no body, or one we cannot read."""
    if not raw:
        return _request(head, raw, None)
    if not boundary_of(head.headers.get("content-type", "")):
        try:
            parse_object(raw)
        except RequestError:
            if _says_json(head):
                raise
            return _request(head, raw, None, opaque=True)
    return understand(head, raw)


def _says_json(head: Head) -> bool:
    return "json" in head.headers.get("content-type", "").lower()


def _request(head: Head, raw: bytes, model: str | None, **more: Any) -> ChatRequest:
    named = model or head.headers.get(names.MODEL_NAME, "")
    return ChatRequest(dialect=Dialect.ENGINE, model=named, messages=(), raw=raw, **more)
