"""The frame both stream translations share: bytes in, bytes out, and no silent end."""

from abc import ABC, abstractmethod

from pointsman.core.errors import HttpError
from pointsman.dialects.anthropic.events import EventReader
from pointsman.dialects.anthropic.loss import Loss, Losses

LIMIT = 1 << 20
"""Bytes of one unfinished event."""
HALFWAY = "the upstream stopped before its answer was complete"


class StreamTranslation(ABC):
    """Translates one answer's event stream, whatever pieces it arrives in; never raises.

    Feed every piece, then call ``finish`` once when the upstream has closed. Whatever goes wrong (a malformed
    event, one above ``limit`` bytes, an upstream that stops halfway) is written as an error event in the
    client's format, and nothing after it. Holds at most ``limit`` bytes and a few words an open block.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._reader = EventReader(limit)
        self._losses = Losses()
        self._out: list[bytes] = []
        self.done = False
        """Nothing more will be written: the answer is complete, or has failed."""
        self.failure: str | None = None
        """What went wrong, if anything did."""

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What could not be carried so far."""
        return self._losses.all()

    def feed(self, chunk: bytes) -> bytes:
        """What ``chunk`` adds to the translated stream; often nothing."""
        if self.done:
            return b""
        self._read(self._reader.feed(chunk))
        if self._reader.overflow and not self.done:
            self._fail(f"an upstream event exceeds {self._limit} bytes")
        return self._written()

    def finish(self) -> bytes:
        """The end of the translated stream, once the upstream has closed."""
        if not self.done:
            self._read(self._reader.finish(), last=True)
        if not self.done:
            self._close()
        return self._written()

    def _read(self, payloads: list[bytes], *, last: bool = False) -> None:
        for payload in payloads:
            if self.done:
                return
            try:
                self._event(payload)
            except HttpError as fault:
                self._fail(HALFWAY if last else f"the upstream sent a malformed event: {fault.message}")

    def _written(self) -> bytes:
        out, self._out = b"".join(self._out), []
        return out

    def _fail(self, message: str, kind: str = "api_error") -> None:
        self.failure = message
        self.done = True
        self._out.append(self._error(message, kind))

    @abstractmethod
    def _event(self, payload: bytes) -> None:
        """Translate one event; raises ``UpstreamFault`` when it is malformed."""

    @abstractmethod
    def _close(self) -> None:
        """The upstream closed without its format's last word."""

    @abstractmethod
    def _error(self, message: str, kind: str) -> bytes:
        """An error event in the client's format; ``kind`` as Anthropic names it."""
