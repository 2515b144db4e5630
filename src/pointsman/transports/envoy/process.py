"""One Envoy process: start, logs, end."""

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LOG_ARGUMENTS = ("--log-format-escaped", "--log-format", "%l|%n|%v")
"""What makes Envoy log one record a line, in the shape ``parse`` reads."""

_LEVELS = frozenset({"trace", "debug", "info", "warning", "error", "critical"})
_KEPT = 20
_LINE_LIMIT = 1 << 20


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

    It is not tied to our life: if we are killed it keeps serving the streams it has.
    """

    def __init__(self, child: asyncio.subprocess.Process, on_log: OnLog) -> None:
        self._child = child
        self._on_log = on_log
        self._last: deque[LogRecord] = deque(maxlen=_KEPT)
        self._pump = asyncio.create_task(self._read())

    @classmethod
    async def spawn(cls, command: Sequence[str], on_log: OnLog) -> "Process":
        """Start ``command``; ``OSError`` when that is impossible."""
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_LINE_LIMIT,
        )
        return cls(child, on_log)

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
        try:
            if await self._signalled(signal.SIGTERM, patience_s):
                return
        finally:
            self._send(signal.SIGKILL)
        await self.wait()

    async def _signalled(self, number: signal.Signals, patience_s: float) -> bool:
        self._send(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait(), patience_s)
            return True
        return False

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(number)

    async def _read(self) -> None:
        stream = self._child.stderr
        while stream is not None:
            try:
                line = await stream.readline()
            except ValueError:  # longer than _LINE_LIMIT: the reader dropped it and goes on
                continue
            if not line:
                return
            record = parse(line.decode(errors="replace").rstrip("\n"))
            self._last.append(record)
            self._on_log(record)
