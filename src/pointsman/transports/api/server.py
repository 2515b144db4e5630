"""Listening: an application on an address of its own."""

import errno
from typing import Self

from aiohttp import web

from pointsman.core.errors import StartError

_REASONS = {
    errno.EADDRINUSE: "the address is in use",
    errno.EACCES: "permission is denied",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


class HttpServer:
    """One application listening on one address; an async context manager.

    `host` is the loopback address unless the caller says otherwise; `port` 0 picks a free one, read back
    from `port` after the start. Running requests get `grace_s` seconds to finish at the end.
    """

    def __init__(
        self,
        app: web.Application,
        *,
        purpose: str,
        port: int,
        host: str = "127.0.0.1",
        remedy: str = "stop what holds it, or choose another port",
        grace_s: float = 2.0,
    ) -> None:
        self._purpose = purpose
        self._remedy = remedy
        self._host = host
        self._port = port
        # The access log would be a second, unredacted line a request.
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=grace_s)

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where it is reached, without a trailing slash."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises `StartError` naming the address and what to do."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
            message = f"{self._purpose} cannot listen on {self._host}:{self._port}: {reason}; {self._remedy}"
            raise StartError(message) from error
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening, let running requests finish, close. Safe to call twice."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
