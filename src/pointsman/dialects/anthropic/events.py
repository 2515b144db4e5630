"""Server-sent events in and out, for streams that are read while they are written."""

import re
from typing import Any

import msgspec

_LINE_END = re.compile(rb"[\r\n]")
_BOM = b"\xef\xbb\xbf"


def named_event(event: dict[str, Any]) -> bytes:
    """One event of the Messages API: its name is its payload's type."""
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), msgspec.json.encode(event))


class EventReader:
    """Splits a byte stream into event payloads; what comes out does not depend on where the bytes are cut.

    Lines end at LF, CR or CRLF. An event whose lines exceed ``limit`` bytes before it is complete ends the
    reading: ``overflow`` is set and nothing more comes out, so memory stays within the limit and one piece.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()
        self._data = bytearray()
        self._has_data = False
        self._after_cr = False
        self._first_line = True
        self.overflow = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The payloads of all events that ``chunk`` completes, in order."""
        payloads: list[bytes] = []
        start = 0
        for match in _LINE_END.finditer(chunk):
            end, mark = match.start(), match[0]
            half_of_crlf = mark == b"\n" and self._after_cr and end == start
            if not half_of_crlf:
                self._hold(chunk[start:end])
                if self.overflow:
                    return payloads
                self._end_line(payloads)
            self._after_cr = mark == b"\r"
            start = end + 1
        if start < len(chunk):
            self._after_cr = False
            self._hold(chunk[start:])
        return payloads

    def finish(self) -> list[bytes]:
        """The event the stream ended in, if any: some servers leave out the last blank line."""
        payloads: list[bytes] = []
        if not self.overflow:
            self._end_line(payloads)
            if not payloads:
                self._end_line(payloads)
        return payloads

    def _hold(self, piece: bytes) -> None:
        if self.overflow:
            return
        self._line += piece
        if len(self._line) + len(self._data) > self._limit:
            self.overflow = True
            self._line.clear()
            self._data.clear()

    def _end_line(self, payloads: list[bytes]) -> None:
        line = bytes(self._line)
        self._line.clear()
        if self._first_line:
            line = line.removeprefix(_BOM)
            self._first_line = False
        if line:
            self._field(line)
        elif self._has_data:
            payloads.append(bytes(self._data[:-1]))
            self._data.clear()
            self._has_data = False

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data += value.removeprefix(b" ") + b"\n"
            self._has_data = True
