"""The listening socket, which can be closed and opened again while the process lives on."""

import asyncio
import errno
import logging
import socket
from collections.abc import Collection

from aiohttp import web

_BACKLOG = 1024
_RETRY_S = 0.2
_log = logging.getLogger(__name__)


class PortInUseError(Exception):
    """Somebody else listens on the port."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is already in use: stop whoever listens there, "
            "choose another with --port, or let the system choose with --port 0"
        )


class Listener:
    """One address of an application. `open`, `close` and `refuse` may be called in any order."""

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, busy: Collection[asyncio.BaseTransport | None]
    ) -> None:
        self._runner = runner
        self._busy = busy
        self._host = host
        self.port = port
        """The port; the one chosen by the system once opened, if 0 was asked for."""
        self._site: web.SockSite | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where clients connect to."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def open(self) -> None:
        """Listen. Raises PortInUseError, or OSError for an address that cannot be listened on."""
        if self._site is not None:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            sock = socket.create_server((self._host, self.port), family=family, backlog=_BACKLOG)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(self._host, self.port) from None
            raise
        self.port = sock.getsockname()[1]
        self._site = web.SockSite(self._runner, sock)
        await self._site.start()

    async def close(self) -> None:
        """Stop listening and end idle connections; requests being answered go on."""
        self._stay()
        if self._site is None:
            return
        site, self._site = self._site, None
        await site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            transport = connection.transport
            if transport is None or transport.get_extra_info("sockname")[1] != self.port:
                continue
            if transport in self._busy:
                connection.close()  # once it has answered
            else:
                connection.force_close()

    async def refuse(self, seconds: float | None) -> None:
        """Close for this long; None: until told otherwise; 0: listen again."""
        if seconds == 0:
            self._stay()
            await self.open()
            return
        await self.close()
        if seconds is not None:
            self._reopening = asyncio.create_task(self._reopen(seconds))

    def _stay(self) -> None:
        """Give up what was to happen later."""
        if self._reopening is not None and self._reopening is not asyncio.current_task():
            self._reopening.cancel()
            self._reopening = None

    async def _reopen(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while True:
            try:
                await self.open()
            except PortInUseError as error:
                _log.warning("cannot listen again yet: %s", error)
                await asyncio.sleep(_RETRY_S)
            else:
                return
