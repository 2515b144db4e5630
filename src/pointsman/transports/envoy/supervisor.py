"""Keeps one Envoy running: ready before we say so, back after a crash, gone after a stop."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pointsman.core.errors import StartError
from pointsman.transports.envoy.process import LogRecord, OnLog, Process

ACCESS_LOG_FLUSH_S = 0.2
"""How often Envoy sends its access log."""
_POLL_S = 0.05
_TERM_PATIENCE_S = 5.0


class AdminPort(Protocol):
    """What the supervisor asks Envoy; see ``Admin``."""

    async def ready(self) -> bool:
        """Whether it serves."""

    async def drain(self) -> None:
        """Refuse new connections."""

    async def active_requests(self) -> int:
        """How many requests are in flight."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next start: exponential, with jitter, bounded."""

    first_s: float = 0.1
    limit_s: float = 30.0
    jitter: float = 0.5
    """The share of a delay that is left to chance."""
    settled_s: float = 60.0
    """A process that lived this long failed for a new reason: counting starts over."""

    def delay_s(self, failures: int, chance: float) -> float:
        """Before the start that follows ``failures`` (>= 1) in a row; ``chance`` is in [0, 1)."""
        full = min(self.limit_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return full * (1 - self.jitter * chance)


@dataclass(frozen=True, slots=True)
class State:
    """What health and metrics report."""

    pid: int | None
    ready: bool
    restarts: int
    last_exit: int | None


@dataclass(frozen=True, slots=True)
class Chances:
    """Time and luck, replaced in tests."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random


class Supervisor:
    """``start`` once, ``stop`` once. It never gives up restarting; ``state.ready`` says how it goes."""

    def __init__(
        self,
        command: Sequence[str],
        admin: AdminPort,
        log_file: Path,
        on_log: OnLog,
        *,
        backoff: Backoff = Backoff(),
        chances: Chances = Chances(),
    ) -> None:
        self._command = tuple(command)
        self._admin = admin
        self._log_file = log_file
        self._on_log = on_log
        self._backoff = backoff
        self._chances = chances
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = False
        self._restarts = 0
        self._last_exit: int | None = None

    @property
    def state(self) -> State:
        """A snapshot."""
        process = self._process
        pid = process.pid if process is not None and process.running else None
        ready = self._ready and pid is not None
        return State(pid=pid, ready=ready, restarts=self._restarts, last_exit=self._last_exit)

    async def start(self, patience_s: float = 30.0) -> None:
        """Return when Envoy is ready; ``StartError`` with its own words when it ends, or is late."""
        try:
            self._process = await Process.spawn(self._command, self._log_file, self._on_log)
        except OSError as error:
            raise StartError(f"cannot start {self._command[0]}: {error}") from error
        try:
            async with asyncio.timeout(patience_s):
                status = await self._until_ready(self._process)
        except TimeoutError as error:
            await self._process.end(0.0)
            raise StartError(
                f"Envoy was not ready after {patience_s:.0f} s. {self._process.errors()}"
            ) from error
        except BaseException:
            await self._process.end(0.0)
            raise
        if status is not None:
            raise StartError(f"Envoy ended at start (status {status}). {self._process.errors()}")
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, drain_s: float) -> None:
        """Let requests in flight finish for up to ``drain_s``, then end the process, whatever happens."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        process = self._process
        if process is None:
            return
        try:
            if process.running and drain_s > 0:
                await self._drain(process, drain_s)
        finally:
            self._ready = False
            await process.end(_TERM_PATIENCE_S)

    async def _until_ready(self, process: Process) -> int | None:
        """``None`` when it is ready, its exit status when it ended before."""
        while process.running:
            if await self._admin.ready():
                self._ready = True
                return None
            await self._chances.sleep(_POLL_S)
        return await process.wait()

    async def _keep(self) -> None:
        failures = 0
        while True:
            failures = await self._outlive(failures)
            delay = self._backoff.delay_s(failures, self._chances.random())
            self._on_log(
                LogRecord("error", "supervisor", f"ended (status {self._last_exit}), starts in {delay:.2f} s")
            )
            await self._chances.sleep(delay)
            self._restarts += 1
            try:
                self._process = await Process.spawn(self._command, self._log_file, self._on_log)
            except OSError:
                # The binary is gone for the moment (an upgrade); the next turn counts it as a failure.
                self._process = None

    async def _outlive(self, failures: int) -> int:
        """Wait for the present process to end; the number of failures in a row it makes."""
        process = self._process
        if process is None:
            return failures + 1
        born = self._chances.clock()
        if not self._ready:
            await self._until_ready(process)
        self._last_exit = await process.wait()
        self._ready = False
        return 1 if self._chances.clock() - born >= self._backoff.settled_s else failures + 1

    async def _drain(self, process: Process, drain_s: float) -> None:
        """Best effort: an Envoy that does not answer has nothing left worth waiting for."""
        try:
            async with asyncio.timeout(drain_s):
                await self._admin.drain()
                while process.running and await self._admin.active_requests() > 0:
                    await self._chances.sleep(_POLL_S)
            # What the last requests came to is still in Envoy's log buffer.
            await self._chances.sleep(ACCESS_LOG_FLUSH_S + _POLL_S)
        except (TimeoutError, OSError):
            return
