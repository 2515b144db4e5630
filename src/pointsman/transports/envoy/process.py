"""One Envoy process: start, logs, end."""

import asyncio
import contextlib
import resource
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

LOG_ARGUMENTS = (
    "-l",
    "warning",
    # One line a request as long as the router is down says nothing the first did not.
    "--component-log-level",
    "ext_proc:error",
    "--log-format-escaped",
    "--log-format",
    "%l|%n|%v",
)
"""What makes Envoy log one record a line, in the shape ``parse`` reads."""

_LEVELS = frozenset({"trace", "debug", "info", "warning", "error", "critical"})
_KEPT = 20
_POLL_S = 0.1
_MAX_LOG_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A line of Envoy's log."""

    level: str
    logger: str
    message: str


OnLog = Callable[[LogRecord], None]


def parse(line: str) -> LogRecord:
    """A record from a line; whatever else the process prints is an error of logger ``stderr``."""
    level, _, rest = line.partition("|")
    logger, separator, message = rest.partition("|")
    if level in _LEVELS and separator:
        return LogRecord(level, logger, message)
    return LogRecord("error", "stderr", line)


class Process:
    """A running child. In a session of its own, so that a Ctrl-C at the terminal goes to us alone.

    It is not tied to our life: if we are killed it keeps serving the streams it has. Nor to our pace: it logs
    to a file that we follow, because a pipe nobody reads would stop it.
    """

    def __init__(self, child: asyncio.subprocess.Process, log: BinaryIO, on_log: OnLog) -> None:
        self._child = child
        self._log = log
        self._partial = b""
        self._on_log = on_log
        self._last: deque[LogRecord] = deque(maxlen=_KEPT)
        self._pump = asyncio.create_task(self._follow())

    @classmethod
    async def spawn(cls, command: Sequence[str], log_file: Path, on_log: OnLog) -> Self:
        """Start ``command``, its standard error appended to ``log_file``; ``OSError`` when impossible."""
        # Two handles: one would have one position for both sides.
        with log_file.open("ab") as written:
            start = written.tell()
            child = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=written,
                start_new_session=True,
            )
        _raise_file_limit(child.pid)
        return cls(child, _open(log_file, start), on_log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended (as far as the event loop has seen)."""
        return self._child.returncode is None

    def errors(self) -> str:
        """The last errors it logged, for a message to the operator."""
        lines = [record.message for record in self._last if record.level in {"error", "critical"}]
        return "\n".join(lines[-5:])

    async def wait(self) -> int:
        """Its exit status (negative: the signal), after its log was read to the end."""
        status = await self._child.wait()
        # Shielded: giving up the wait must not end the reading.
        await asyncio.shield(self._pump)
        return status

    async def end(self, patience_s: float) -> None:
        """SIGTERM, and SIGKILL after ``patience_s``; returns when it is gone."""
        self._send(signal.SIGTERM)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), patience_s)
        finally:
            self._send(signal.SIGKILL)
        await self.wait()

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)

    async def _follow(self) -> None:
        ended = asyncio.create_task(self._child.wait())
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=_POLL_S)
                self._read()
        finally:
            ended.cancel()
            self._log.close()

    def _read(self) -> None:
        *lines, self._partial = (self._partial + self._log.read()).split(b"\n")
        for line in lines:
            record = parse(line.decode(errors="replace"))
            self._last.append(record)
            self._on_log(record)
        if self._log.tell() > _MAX_LOG_BYTES:  # read is read; both sides append, so neither minds
            self._log.truncate(0)
            self._log.seek(0)


def _open(path: Path, start: int) -> BinaryIO:
    """To read what is added after ``start``, and to cut off what was read."""
    file = path.open("r+b", buffering=0)
    file.seek(start)
    return file


def _raise_file_limit(pid: int) -> None:
    """Two descriptors a request: the usual soft limit of 1024 would be 500 of them."""
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
