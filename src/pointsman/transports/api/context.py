"""What every handler of the management API is given, and how a body is read and an answer written."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from pointsman.core.errors import RequestError
from pointsman.dialects.body import decode
from pointsman.observe.redact import Redactor
from pointsman.transports.api.backend import Backend
from pointsman.transports.api.errors import TooSlow
from pointsman.transports.api.gate import Gate
from pointsman.transports.api.shapes import ErrorBody

T = TypeVar("T")

REQUEST_ID = web.RequestKey("request_id", str)


class Limits(msgspec.Struct, frozen=True):
    """Bounds of the management API."""

    max_body_bytes: int = 10 * 1024 * 1024
    """Larger request bodies get a 413."""
    max_text_chars: int = 200_000
    """Characters of one text; longer ones get a 400."""
    max_batch: int = 100
    """Texts in one batch."""
    max_concurrent: int = 8
    """Classification requests at once; more get a 503."""
    body_timeout_s: float = 30.0
    """How long a body may take to arrive."""


class Context(msgspec.Struct, frozen=True):
    """Everything a handler may use."""

    backend: Backend
    redactor: Redactor
    gate: Gate
    limits: Limits
    routes: tuple["Route", ...] = ()
    clock: Callable[[], float] = time.perf_counter

    async def read(self, request: web.Request, shape: type[T]) -> T:
        """The body as `shape`. Raises `RequestError` naming the field at fault."""
        try:
            async with asyncio.timeout(self.limits.body_timeout_s):
                raw = await request.read()
        except TimeoutError:
            message = f"the body did not arrive within {self.limits.body_timeout_s:g} s"
            raise TooSlow(message) from None
        return decode(raw, msgspec.json.Decoder(shape))

    def check_text(self, text: str, field: str) -> None:
        """Raise `RequestError` naming the field when a text is blank or too long."""
        if not text.strip():
            raise RequestError(f"{field}: must not be empty", param=field)
        if len(text) > self.limits.max_text_chars:
            limit = self.limits.max_text_chars
            raise RequestError(f"{field}: at most {limit} characters, got {len(text)}", param=field)

    def check_texts(self, texts: Sequence[str], field: str) -> None:
        """Raise `RequestError` when there are none or too many, or one of them is blank or too long."""
        if not texts:
            raise RequestError(f"{field}: must not be empty", param=field)
        if len(texts) > self.limits.max_batch:
            limit = self.limits.max_batch
            raise RequestError(f"{field}: at most {limit}, got {len(texts)}", param=field)
        for index, text in enumerate(texts):
            self.check_text(text, f"{field}[{index}]")

    def elapsed_ms(self, since: float) -> int:
        """Whole milliseconds since `since`, as the semantic router counts them."""
        return round((self.clock() - since) * 1e3)


Handler = Callable[[Context, web.Request], Awaitable[web.Response]]


class Route(msgspec.Struct, frozen=True):
    """One endpoint: how it is reached, what it takes and gives, and the function behind it."""

    method: str
    path: str
    summary: str
    handle: Handler
    takes: Any = None
    """Type of the request body."""
    gives: Any = None
    """Type of the answer; `None` when it is not JSON of a known shape."""
    media: str = "application/json"
    failures: tuple[int, ...] = ()
    """Statuses other than 200 that belong to its contract."""
    failed: Any = ErrorBody
    """Type of the answer with one of these statuses."""
    query: tuple[str, ...] = ()
    """Query parameters it reads."""
    role: str = "viewer"
    """Whom it is for: `operator` where it changes something. Nobody asks yet, for want of logins."""


def answer(value: Any, *, status: int = 200) -> web.Response:
    """`value` as JSON."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
