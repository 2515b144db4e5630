"""Files and batches of a running gateway: their folder, who works on them, where they are served."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import structlog

from pointsman.batches.runner import Pace, Runner
from pointsman.batches.sender import DataPlane
from pointsman.batches.store import Bounds, Store
from pointsman.config import Settings
from pointsman.config.identity import identity_headers
from pointsman.transports.envoy.planning import own_url
from pointsman.transports.files import SocketServer, files_app

_HOUR_S = 3600.0


def folder_of(settings: Settings, env: Mapping[str, str]) -> Path:
    """Where files are kept."""
    if settings.gateway.files.folder is not None:
        return Path(settings.gateway.files.folder).expanduser()
    state = env.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "pointsman" / "files"


@contextlib.asynccontextmanager
async def background(settings: Settings, socket: Path) -> AsyncIterator[None]:
    """Serve on ``socket`` and work on what is unfinished. ``StartError`` when the folder cannot be used."""
    written = settings.gateway.files
    keep_s = written.expire_after_hours * _HOUR_S
    bounds = Bounds(written.max_file_bytes, written.max_files, written.max_bytes, written.max_batches)
    store = Store(folder_of(settings, os.environ), bounds)
    with contextlib.closing(store):
        async with DataPlane(own_url(settings), float(written.request_timeout_s)) as sender:
            runner = Runner(store, sender, _pace(settings, keep_s), report=_report)
            app = files_app(store, runner, identity_headers(settings), keep_s=keep_s)
            async with SocketServer(app, socket):
                work = asyncio.create_task(runner.run())
                try:
                    yield
                finally:
                    work.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await work


def _pace(settings: Settings, keep_s: float) -> Pace:
    written = settings.gateway.files
    return Pace(
        at_once=written.concurrency,
        max_running=written.max_running,
        max_requests=written.max_requests,
        max_line_bytes=settings.gateway.limits.max_body_bytes,
        keep_s=keep_s,
    )


def _report(error: BaseException) -> None:
    structlog.get_logger().error("defect", exc_info=error)
