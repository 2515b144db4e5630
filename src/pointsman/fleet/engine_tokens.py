"""A prompt's token ids, as an engine of the model makes them."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import msgspec

from pointsman.fleet.bounded_read import read_bounded

_MAX_BYTES: Final = 16 << 20
_ENTRIES: Final = 1024
_MAX_TOKENS: Final = 4 << 20
"""Of all prompts remembered."""
_ASKED: Final = ("messages", "prompt", "tools", "add_generation_prompt", "chat_template_kwargs")


class _Tokenized(msgspec.Struct):
    tokens: list[int]


class EngineTokens:
    """Asks ``/tokenize``. Prompts asked for before are remembered; trouble means not to know.

    A failure is not tried again for a while: requests must not wait for an engine that does not answer.
    """

    def __init__(self, *, timeout_s: float = 0.25, rest_s: float = 5.0) -> None:
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._session: aiohttp.ClientSession | None = None
        self._known: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        self._size = 0
        self._resting: dict[str, float] = {}

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def of(self, base_url: str, model: str, body: Mapping[str, msgspec.Raw]) -> tuple[int, ...] | None:
        """The tokens of a request's prompt; ``None`` where the engine does not say in time."""
        asked: dict[str, Any] = {name: body[name] for name in _ASKED if name in body}
        payload = msgspec.json.encode({"model": model, **asked})
        key = hash(payload)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        now = asyncio.get_running_loop().time()
        if self._resting.get(base_url, now) > now:
            return None
        try:
            tokens = await self._ask(base_url, payload)
        except (aiohttp.ClientError, OSError, msgspec.MsgspecError):
            if len(self._resting) >= _ENTRIES:
                self._resting.clear()
            self._resting[base_url] = now + self._rest_s
            return None
        self._remember(key, tokens)
        return tokens

    async def _ask(self, base_url: str, payload: bytes) -> tuple[int, ...]:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False)
        headers = {"content-type": "application/json"}
        async with (
            asyncio.timeout(self._timeout_s),
            self._session.post(f"{base_url}/tokenize", data=payload, headers=headers) as response,
        ):
            body = await read_bounded(response, _MAX_BYTES)
            if response.status != 200:
                raise aiohttp.ClientPayloadError(f"/tokenize says {response.status}")
        return tuple(msgspec.json.decode(body, type=_Tokenized).tokens)

    def _remember(self, key: int, tokens: tuple[int, ...]) -> None:
        if len(tokens) > _MAX_TOKENS:
            return
        self._known[key] = tokens
        self._size += len(tokens)
        while self._size > _MAX_TOKENS or len(self._known) > _ENTRIES:
            self._size -= len(self._known.popitem(last=False)[1])
