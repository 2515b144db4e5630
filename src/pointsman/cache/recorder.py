"""Listening to an answer on its way to the client, to keep it once it was whole."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from pointsman.cache.admission import Assembly, Refusal, refusal_of
from pointsman.core.answer import AnswerFilter, AnswerWork, altered, late_edits
from pointsman.core.header_edits import HeaderEdits
from pointsman.dialects import sse

Keep = Callable[[bytes], Awaitable[None]]
"""Keeps an answer that may be given again, a chat completion as JSON."""


class Recording(msgspec.Struct, frozen=True):
    """Makes the recorder when the answer begins."""

    keep: Keep
    refused: Callable[[Refusal], None]
    ended: Callable[[], None]
    """Called once it is known whether the answer is kept."""
    limit: int
    """Largest answer kept, bytes."""
    inner: AnswerWork | None = None
    """What changes the answer before it is listened to: what it says is what the client gets."""

    def __call__(self) -> "Recorder":
        """One recorder for one answer."""
        return Recorder(self, self.inner() if self.inner is not None else None)


class Recorder:
    """An ``AnswerFilter`` that changes nothing of its own. It never raises, unless what is inside does."""

    def __init__(self, recording: Recording, inner: AnswerFilter | None) -> None:
        self._recording = recording
        self._inner = inner
        self._refusal: Refusal | None = None
        self._whole: bytearray | None = None
        self._events: sse.Decoder | None = None
        self._assembly = Assembly(recording.limit)
        self._over = False

    @property
    def altered(self) -> bool:
        """Whether a guard inside found something."""
        return self._inner is not None and altered(self._inner)

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        """Only whole successes are of interest."""
        try:
            edits = await self._inner.start(status, headers) if self._inner is not None else HeaderEdits()
        except BaseException:
            self._end()
            raise
        kind = headers.get("content-type", "").strip().lower()
        if status != 200:
            self._give_up(Refusal.STATUS)
        elif kind.startswith("text/event-stream"):
            self._events = sse.Decoder()
        else:
            self._whole = bytearray()
        return edits

    def late(self) -> HeaderEdits:
        """What is inside may have something to say."""
        return HeaderEdits() if self._inner is None else late_edits(HeaderEdits(), self._inner)

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        """Pass everything on. An answer that is whole is kept before the client knows that it is."""
        try:
            out = await self._inner.feed(data, end=end) if self._inner is not None else data
        except BaseException:
            self._end()
            raise
        if self._over:
            return out
        self._listen(out)
        if end or self._assembly.done:
            await self._conclude()
        return out

    def _listen(self, data: bytes) -> None:
        if self._events is not None:
            try:
                for payload in self._events.feed(data):
                    self._assembly.take(payload)
            except sse.SseError:
                self._give_up(Refusal.TOO_LARGE)
            if self._assembly.refusal is not None:
                self._give_up(self._assembly.refusal)
        elif self._whole is not None:
            self._whole += data
            if len(self._whole) > self._recording.limit:
                self._give_up(Refusal.TOO_LARGE)

    async def _conclude(self) -> None:
        if self._over:
            return
        answer, refusal = self._read()
        if refusal is None and self.altered:
            refusal = Refusal.GUARDED
        if answer is None or refusal is not None:
            self._give_up(refusal or Refusal.CUT)
            return
        try:
            await self._recording.keep(answer)
        finally:
            self._end()

    def _read(self) -> tuple[bytes | None, Refusal | None]:
        """The answer as JSON, or why it is not kept."""
        document: Any
        if self._events is not None:
            document = self._assembly.document()
            if document is None:
                return None, self._assembly.refusal
            answer = msgspec.json.encode(document)
        else:
            answer = bytes(self._whole or b"")
            try:
                document = msgspec.json.decode(answer)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return None, Refusal.UNREADABLE
        if len(answer) > self._recording.limit:
            return None, Refusal.TOO_LARGE
        return answer, refusal_of(document)

    def _give_up(self, refusal: Refusal) -> None:
        if not self._over:
            self._recording.refused(refusal)
        self._end()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._recording.ended()
        self._whole = self._events = None
