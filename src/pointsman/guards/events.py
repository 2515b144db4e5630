"""Server-sent events with their bytes kept, so that what nobody changes passes as it came."""

import re

from pointsman.dialects import sse

_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
DONE = b"[DONE]"


class Splitter:
    """Cuts a stream into whole events, whatever pieces it arrives in; holds less than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self.overflow = False
        """An event exceeded the limit; its bytes are handed out unread."""

    def feed(self, data: bytes) -> list[bytes]:
        """Every event that ``data`` completes, with the blank line that ends it."""
        self._buffer += data
        found: list[bytes] = []
        start = 0
        for hit in _END.finditer(self._buffer, max(0, self._searched - 4)):
            found.append(bytes(self._buffer[start : hit.end()]))
            start = hit.end()
        del self._buffer[:start]
        self._searched = len(self._buffer)
        if len(self._buffer) > self._limit:
            self.overflow = True
            found.append(self.rest())
        return found

    def rest(self) -> bytes:
        """What is left of an event that never ended."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest


def payload(event: bytes) -> bytes | None:
    """The data of an event; ``None`` for one without (a comment, a blank line)."""
    lines = event.splitlines()
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return b"\n".join(data) if data else None


def with_payload(event: bytes, data: bytes) -> bytes:
    """The event with other data, its name and id kept."""
    kept = [line for line in event.splitlines() if line and not line.startswith(b"data")]
    return b"".join(line + b"\n" for line in kept) + sse.event(data)


def named(event: dict[str, object]) -> bytes:
    """The ``event:`` line that Anthropic's format has and OpenAI's has not."""
    kind = event.get("type")
    return f"event: {kind}\n".encode() if isinstance(kind, str) and "choices" not in event else b""
