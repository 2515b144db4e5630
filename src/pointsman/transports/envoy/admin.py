"""Envoy's administration interface, on its Unix socket."""

from pathlib import Path

import aiohttp

from pointsman.transports.envoy.listener import STAT_PREFIX
from pointsman.transports.envoy.routes import ROUTES

_TIMEOUT_S = 5.0


class Admin:
    """A client of one Envoy. Every call raises ``AdminError`` when that Envoy does not answer."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ready(self) -> bool:
        """Whether Envoy listens with a complete configuration."""
        try:
            status, _ = await self._call("GET", "/ready")
        except AdminError:
            return False
        return status == 200

    async def alive(self) -> bool:
        """Whether there is an Envoy at all, in whatever state; one that is slow to answer counts."""
        try:
            await self._call("GET", "/ready")
        except AdminError as error:
            return isinstance(error.__cause__, TimeoutError)
        return True

    async def drain(self) -> None:
        """Take no new connections; ask clients to leave theirs after the request they are in."""
        await self._call("POST", "/healthcheck/fail")
        await self._call("POST", "/drain_listeners")

    async def quit(self) -> None:
        """End that Envoy at once."""
        await self._call("POST", "/quitquitquit")

    async def active_requests(self) -> int:
        """Client requests in flight."""
        found = await self._stats(rf"^http\.{STAT_PREFIX}\.downstream_rq_active$")
        return sum(int(value) for value in found.values())

    async def applied(self, version: str) -> bool:
        """Whether clusters and routes of ``version`` (see ``FileConfig.version``) are in effect."""
        names = rf"^(cluster_manager\.cds|http\.{STAT_PREFIX}\.rds\.{ROUTES})\.version_text$"
        found = await self._stats(names)
        return len(found) == 2 and all(text.strip('"') == version for text in found.values())

    async def _stats(self, pattern: str) -> dict[str, str]:
        _, text = await self._call("GET", "/stats", {"filter": pattern})
        lines = (line.partition(": ") for line in text.splitlines())
        return {name: value for name, found, value in lines if found}

    async def _call(self, method: str, path: str, query: dict[str, str] | None = None) -> tuple[int, str]:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        connector = aiohttp.UnixConnector(str(self._socket))
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, f"http://admin{path}", params=query) as response,
            ):
                return response.status, await response.text()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise AdminError(f"Envoy does not answer on {self._socket}: {error!r}") from error


class AdminError(ConnectionError):
    """Envoy's administration interface did not answer."""
