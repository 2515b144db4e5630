"""One request as it arrived, read once: path, headers, body, and what the sender wants of the simulator."""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar
from uuid import uuid4

from aiohttp import web

from pointsman.sim import errors, wire
from pointsman.sim.server import VISIT

T = TypeVar("T")

_SAFE_ID = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True)
class Envelope:
    """The received request."""

    path: str
    query: str
    headers: dict[str, str]
    """Lower-case names; repeated headers are joined by ", "."""
    body: bytes
    request_id: str
    """The sender's x-request-id, or a new one."""

    @property
    def wants_echo(self) -> bool:
        """Whether the sender asked for an echo by header."""
        return self.headers.get("x-sim-echo", "").lower() in {"1", "true", "yes"}

    def read_as(self, shape: type[T]) -> T:
        """The body as a typed value. Raises ApiError (400)."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise errors.invalid("Unsupported Media Type: Only 'application/json' is allowed")
        try:
            return wire.load(self.body, shape)
        except wire.BadJsonError as error:
            raise errors.invalid(f"1 validation error: {error}") from None

    def echo(self, *, model: str, engine: str) -> dict[str, Any]:
        """The document an echoing engine answers with. The body must have been read as JSON before."""
        body = wire.load(self.body, dict)
        return {
            "model": model,
            "messages": body.get("messages"),
            "chat_template_kwargs": body.get("chat_template_kwargs"),
            "reasoning_effort": body.get("reasoning_effort"),
            "headers": self.headers,
            "path": self.path,
            "query": self.query,
            "body_sha256": sha256(self.body).hexdigest(),
            "body_bytes": len(self.body),
            "body": body,
            "engine": engine,
        }


def request_id(request: web.Request) -> str:
    """The sender's x-request-id where it is fit to be sent back, or a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _SAFE_ID.fullmatch(given) else uuid4().hex


async def receive(request: web.Request) -> Envelope:
    """Read a request to its end. Raises HTTPRequestEntityTooLarge."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        # aiohttp keeps bytes that are not UTF-8 as surrogates, which JSON cannot carry
        text = value.encode(errors="replace").decode()
        key = name.lower()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Envelope(
        path=request.path,
        query=request.query_string,
        headers=headers,
        body=await request.read(),
        request_id=request[VISIT].request_id,
    )
