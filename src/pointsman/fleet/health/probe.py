"""Asking one engine how it is: ``/health``, the names it serves, whether it sleeps."""

import asyncio
import errno
from collections.abc import Mapping
from typing import Protocol, Self

import aiohttp
import msgspec

from pointsman.fleet.health.standing import Answer, Probed

_MAX_BYTES = 1 << 20
_MAX_MODELS = 512
_NOBODY = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})


class Question(msgspec.Struct, frozen=True):
    """What to ask, and where."""

    url: str
    """Base URL of the engine."""
    headers: Mapping[str, str] = {}
    models: bool = False
    """Whether the names it serves are asked for."""
    sleep: bool = False
    """Whether it may be asleep, so that it must be asked."""


class Prober(Protocol):
    """See ``HttpProber``."""

    async def probe(self, question: Question) -> Probed:
        """Never raises but when cancelled."""


class _Model(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: list[_Model]


class _Sleeping(msgspec.Struct, frozen=True):
    is_sleeping: bool = False


class HttpProber:
    """Over HTTP, a fresh connection each time: what matters is that it can be made. ``async with``."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(force_close=True, limit=0, use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def probe(self, question: Question) -> Probed:
        """A server error is unwell; any other answer to ``/health`` is one of a server that runs."""
        try:
            status, _ = await self._get(question, "/health")
        except (aiohttp.ClientError, OSError) as error:
            kind = Answer.UNREACHABLE if _nobody_there(error) else Answer.UNWELL
            return Probed(kind, detail=str(error) or type(error).__name__)
        if status >= 500:
            return Probed(Answer.UNWELL, detail=f"/health says {status}")
        models = await self._models(question) if question.models else None
        asleep = await self._asleep(question) if question.sleep else None
        return Probed(
            Answer.ASLEEP if asleep else Answer.WELL,
            models,
            can_sleep=asleep is not None if question.sleep else None,
        )

    async def _models(self, question: Question) -> frozenset[str] | None:
        body = await self._body(question, "/v1/models")
        try:
            listed = msgspec.json.decode(body, type=_Models).data if body else None
        except msgspec.DecodeError:
            return None
        return None if listed is None else frozenset(model.id for model in listed[:_MAX_MODELS])

    async def _asleep(self, question: Question) -> bool | None:
        """``None`` where the engine has no sleep mode, or does not tell."""
        body = await self._body(question, "/is_sleeping")
        try:
            return msgspec.json.decode(body, type=_Sleeping).is_sleeping if body else None
        except msgspec.DecodeError:
            return None

    async def _body(self, question: Question, path: str) -> bytes:
        """The body of a 200; empty for anything else."""
        try:
            status, body = await self._get(question, path)
        except (aiohttp.ClientError, OSError):
            return b""
        return body if status == 200 else b""

    async def _get(self, question: Question, path: str) -> tuple[int, bytes]:
        """Raises ``aiohttp.ClientError`` and ``OSError``, of which a timeout is one."""
        if self._session is None:
            raise RuntimeError("use it within async with")
        headers = dict(question.headers)
        async with (
            asyncio.timeout(self._timeout_s),
            self._session.get(question.url + path, headers=headers, allow_redirects=False) as response,
        ):
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > _MAX_BYTES:
                    response.close()
                    return response.status, b""
            return response.status, bytes(body)


def _nobody_there(error: Exception) -> bool:
    return isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno in _NOBODY
