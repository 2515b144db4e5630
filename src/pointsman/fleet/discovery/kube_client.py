"""The two calls of the Kubernetes API that discovery needs: list and watch. Everything is bounded."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

import aiohttp
import msgspec

from pointsman.fleet.discovery.kube_access import Access
from pointsman.fleet.discovery.kube_objects import ListMeta, Status

_CONNECT_S = 5.0
_LIST_S = 30.0
_PAGE = 500
MAX_PAGE_BYTES = 64 << 20
MAX_EVENT_BYTES = 4 << 20
"""etcd keeps no object over 1.5 MiB."""


class ApiTrouble(Exception):
    """The API could not be asked, or did not answer as it should."""


class Gone(ApiTrouble):
    """What follows the version we know is no longer kept (410)."""


class NotAllowed(ApiTrouble):
    """401, 403 or 404: a matter of permissions or of what is installed."""


class Silence(ApiTrouble):
    """Nothing came for longer than a living watch is silent."""


class Page(msgspec.Struct, frozen=True):
    """A part of a list. Items stay as they came: each kind has its own type."""

    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None


class Watched(msgspec.Struct, frozen=True):
    """One event of a watch."""

    type: str
    object: msgspec.Raw


class Listed(msgspec.Struct, frozen=True):
    """All objects at one moment."""

    version: str
    items: tuple[msgspec.Raw, ...]
    cut: bool = False
    """Whether there were more than we take."""


_PAGE_DECODER = msgspec.json.Decoder(Page)
_EVENT_DECODER = msgspec.json.Decoder(Watched)
_STATUS_DECODER = msgspec.json.Decoder(Status)


class KubeClient:
    """Lists and watches paths of one API server. ``async with``."""

    def __init__(self, access: Access, *, idle_s: float = 90.0, list_s: float = _LIST_S) -> None:
        self.access = access
        self._idle_s = idle_s
        self._list_s = list_s

    async def list(self, path: str, query: Mapping[str, str], *, most: int) -> Listed:
        """Everything under ``path``, ``most`` at most, read page by page. Raises ``ApiTrouble``."""
        items = list[msgspec.Raw]()
        version, rest = "", ""
        async with self._session() as session:
            while True:
                asked = {**query, "limit": str(_PAGE), **({"continue": rest} if rest else {})}
                page = await self._page(session, path, asked)
                items += page.items or ()
                version, rest = page.metadata.resource_version, page.metadata.continue_ or ""
                if not rest or len(items) >= most:
                    return Listed(version, tuple(items[:most]), cut=bool(rest) or len(items) > most)

    async def watch(
        self, path: str, query: Mapping[str, str], version: str, *, seconds: float
    ) -> AsyncGenerator[Watched, None]:
        """Events after ``version`` until the server ends the watch, which it should after ``seconds``.

        Raises ``Gone``, ``Silence`` when nothing came for the idle time, and ``ApiTrouble``.
        """
        asked = {
            **query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(max(1, round(seconds))),
        }
        async with self._session() as session, self._answer(session, path, asked) as response:
            async for line in _lines(response, self._idle_s):
                try:
                    event = _EVENT_DECODER.decode(line)
                except msgspec.DecodeError as error:
                    raise ApiTrouble(f"an event cannot be read: {error}") from error
                if event.type == "ERROR":
                    _raise(_status(event.object))
                yield event

    async def _page(self, session: aiohttp.ClientSession, path: str, query: Mapping[str, str]) -> Page:
        try:
            async with asyncio.timeout(self._list_s), self._answer(session, path, query) as response:
                body = bytearray()
                async for piece in response.content.iter_any():
                    body += piece
                    if len(body) > MAX_PAGE_BYTES:
                        raise ApiTrouble("a page of the list is too large")
                return _PAGE_DECODER.decode(body)
        except TimeoutError as error:
            raise ApiTrouble(f"no answer within {self._list_s:g} s") from error
        except aiohttp.ClientError as error:
            raise ApiTrouble(f"the list broke off: {error!r}") from error
        except msgspec.DecodeError as error:
            raise ApiTrouble(f"the list cannot be read: {error}") from error

    def _session(self) -> aiohttp.ClientSession:
        """One for each list and watch: certificates and tokens are replaced while we run."""
        try:
            connector = aiohttp.TCPConnector(ssl=self.access.tls(), limit=1, force_close=True)
        except OSError as error:
            raise ApiTrouble(f"the certificate authority cannot be read: {error}") from error
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
        return aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)

    @contextlib.asynccontextmanager
    async def _answer(
        self, session: aiohttp.ClientSession, path: str, query: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A 200; anything else is raised as what it means."""
        url = self.access.server + path
        headers = {"accept": "application/json", **self.access.headers()}
        try:
            async with asyncio.timeout(self._idle_s):
                response = await session.get(url, params=query, headers=headers, allow_redirects=False)
        except TimeoutError as error:
            raise Silence(f"{url} does not answer") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ApiTrouble(f"{url}: {error!r}") from error
        try:
            if response.status != 200:
                async with asyncio.timeout(_CONNECT_S):
                    _raise(_status(await response.content.read(65536)), response.status)
            yield response
        except TimeoutError as error:
            if response.status == 200:
                raise
            raise ApiTrouble(f"status {response.status}") from error
        finally:
            response.close()


async def _lines(response: aiohttp.ClientResponse, idle_s: float) -> AsyncGenerator[bytes, None]:
    """Lines of any length up to the bound; ``Silence`` when none ends the wait."""
    rest = bytearray()
    while True:
        try:
            async with asyncio.timeout(idle_s):
                piece = await response.content.readany()
        except TimeoutError as error:
            raise Silence(f"nothing came for {idle_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ApiTrouble(f"the watch broke off: {error!r}") from error
        if not piece:
            return
        rest += piece
        *whole, last = rest.split(b"\n")
        rest = last
        for line in whole:
            if line.strip():
                yield bytes(line)
        if len(rest) > MAX_EVENT_BYTES:
            raise ApiTrouble("an event is too large")


def _status(body: Any) -> Status:
    try:
        return _STATUS_DECODER.decode(body)
    except msgspec.DecodeError:
        return Status()


def _raise(status: Status, code: int = 0) -> None:
    code = status.code or code
    said = f"{code} {status.reason}: {status.message[:200]}".strip()
    if code == 410:
        raise Gone(said)
    if code in {401, 403, 404}:
        raise NotAllowed(said)
    raise ApiTrouble(said)
