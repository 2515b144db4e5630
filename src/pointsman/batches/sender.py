"""Requests of batches on their way to our own data plane."""

from collections.abc import Mapping
from typing import Final, Self

import aiohttp

from pointsman.batches.runner import Reply
from pointsman.core.errors import BadAnswer, Unavailable
from pointsman.fleet.bounded_read import read_bounded

MAX_ANSWER: Final = 32 << 20
"""Bytes of one answer."""


class DataPlane:
    """Over HTTP to one address. ``async with``."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Raises ``HttpError`` where no answer came."""
        if self._session is None:
            raise RuntimeError("use it within async with")
        named = {**headers, "content-type": "application/json"}
        try:
            async with self._session.post(self._url + path, data=body, headers=named) as response:
                found = await read_bounded(response, MAX_ANSWER)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {self._timeout_s:g} s") from error
        except aiohttp.ClientPayloadError as error:
            raise BadAnswer(f"the answer could not be read: {error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable("the gateway could not be reached") from error
        after = response.headers.get("retry-after", "")
        return Reply(
            response.status,
            found,
            response.headers.get("x-request-id", ""),
            float(after) if after.isdigit() and len(after) < 9 else None,
        )
