"""An application that listens on a Unix socket."""

from pathlib import Path
from typing import Self

from aiohttp import web


class SocketServer:
    """An async context manager; running requests get ``grace_s`` seconds at the end."""

    def __init__(self, app: web.Application, path: Path, *, grace_s: float = 2.0) -> None:
        self._path = path
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=grace_s)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self._path)).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
