"""Telling engines what to do: one order to every replica of a model, each with its own outcome."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import aiohttp
import msgspec

from pointsman.core.endpoint import Endpoint
from pointsman.fleet.bounded_read import read_bounded

AT_ONCE: Final = 16
"""Engines spoken to at the same time."""
MAX_ANSWER: Final = 64 << 10
"""Bytes of one engine's answer."""


class Order(msgspec.Struct, frozen=True):
    """What to tell an engine."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """JSON, or nothing."""


class Outcome(msgspec.Struct, frozen=True):
    """What one engine made of it."""

    endpoint: Endpoint
    status: int | None = None
    """``None`` where no answer came."""
    body: Any = None
    """Its answer: decoded where it is JSON, else a text."""
    error: str = ""
    """Why no answer came."""
    elapsed_ms: int = 0

    @property
    def done(self) -> bool:
        """Whether it did as it was told."""
        return self.status is not None and 200 <= self.status < 300


async def tell(
    endpoints: Sequence[Endpoint],
    order: Order,
    *,
    headers: Mapping[str, Mapping[str, str]],
    timeout_s: float,
    at_once: int = AT_ONCE,
) -> tuple[Outcome, ...]:
    """Give an order to engines, side by side, and wait for each ``timeout_s`` at most; in their order.

    ``headers`` has the credentials of each pool. Raises nothing but cancellation.
    """
    slots = asyncio.Semaphore(at_once)
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:

        async def one(endpoint: Endpoint) -> Outcome:
            async with slots:
                return await _told(session, endpoint, order, headers.get(endpoint.pool, {}), timeout_s)

        return tuple(await asyncio.gather(*map(one, endpoints)))


async def _told(
    session: aiohttp.ClientSession,
    endpoint: Endpoint,
    order: Order,
    headers: Mapping[str, str],
    timeout_s: float,
) -> Outcome:
    begun = time.monotonic()
    status, body, error = None, None, ""
    typed = {"content-type": "application/json"} if order.body else {}
    try:
        async with (
            asyncio.timeout(timeout_s),
            session.request(
                order.method,
                endpoint.base_url + order.path,
                params=order.query,
                data=order.body or None,
                headers={**headers, **typed},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response,
        ):
            body = _read(await read_bounded(response, MAX_ANSWER))
            status = response.status
    except TimeoutError:
        error = f"no answer within {timeout_s:g} s"
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        error = str(exc) or type(exc).__name__
    return Outcome(endpoint, status, body, error, round((time.monotonic() - begun) * 1000))


def _read(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw.decode("utf-8", "replace")
