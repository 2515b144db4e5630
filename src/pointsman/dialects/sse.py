"""Server-sent events, as the OpenAI streaming APIs use them (WHATWG HTML, section 9.2)."""

import re

CONTENT_TYPE = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"

_LINE_END = re.compile(rb"\r\n|\n|\r")
_MAX_BUFFER = 1 << 20


class SseError(ValueError):
    """A stream whose single event exceeds the bound."""


def event(data: bytes) -> bytes:
    """One event with a single-line payload."""
    return b"data: " + data + b"\n\n"


class Decoder:
    """Splits a byte stream into event payloads, whatever pieces it arrives in.

    An event is complete at the blank line that ends it: a half event at the end of the stream is not
    delivered, as the specification demands. Holds at most ``limit`` bytes of unfinished input.
    """

    def __init__(self, limit: int = _MAX_BUFFER) -> None:
        self._limit = limit
        self._buffer = b""
        self._data: list[bytes] = []
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of all events that ``chunk`` completes, in order."""
        self._buffer += chunk
        payloads = []
        while (line := self._next_line()) is not None:
            if line == b"":
                if self._data:
                    payloads.append(b"\n".join(self._data))
                self._data = []
            else:
                self._field(line)
        if len(self._buffer) + sum(map(len, self._data)) > self._limit:
            raise SseError(f"an event exceeds {self._limit} bytes")
        return payloads

    def _next_line(self) -> bytes | None:
        if self._first and len(self._buffer) >= 3:
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
            self._first = False
        match = _LINE_END.search(self._buffer)
        # A lone CR at the end may be half of a CRLF: wait for the next byte.
        if match is None or (match[0] == b"\r" and match.end() == len(self._buffer)):
            return None
        if self._first:
            # A line end within the first bytes: no byte-order mark can precede it.
            self._first = False
        line = self._buffer[: match.start()]
        self._buffer = self._buffer[match.end() :]
        return line

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
