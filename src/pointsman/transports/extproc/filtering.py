"""One answer on its way through its filter, whatever carries it: bounded, and never past the filter."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from pointsman.core.answer import AnswerFilter, late_edits
from pointsman.core.errors import BadAnswer, HttpError
from pointsman.core.verdict import HeaderEdits, Reply
from pointsman.dialects.failures import failure_events, failure_reply
from pointsman.transports.extproc.events import Fate
from pointsman.transports.extproc.handover import Job

T = TypeVar("T")


class Bounds(msgspec.Struct, frozen=True):
    """Limits on one answer."""

    max_bytes: int = 4 * 1024 * 1024
    """Of a body that has to be read whole (anything but an event stream)."""
    timeout_s: float = 5.0
    """For a filter to work on one piece."""


class Step(msgspec.Struct, frozen=True):
    """What may go to the client now."""

    edits: HeaderEdits | None = None
    """The answer's headers may go, edited so; ``None``: they are still held back, or are gone already."""
    body: bytes = b""
    end: bool = False
    """Nothing comes after ``body``."""
    reply: Reply | None = None
    """Instead of everything else. When the headers are gone, all that is left is to break off."""


class Filtering:
    """Feed it the answer in order; send what it returns.

    Headers are held back until there is something to follow them, so that an answer that fails before can
    still become an error with its own status. Anything but an event stream is collected and given to the
    filter in one piece. After a failure every further byte is swallowed, unless the filter only listens:
    then the answer passes without it.
    """

    def __init__(
        self,
        job: Job,
        bounds: Bounds,
        *,
        tell: Callable[[Fate], None],
        report: Callable[[BaseException], None],
    ) -> None:
        self._job = job
        self._bounds = bounds
        self._tell = tell
        self._report = report
        self._filter: AnswerFilter | None = None
        self._edits = HeaderEdits()
        self._gone = False
        self._events = False
        self._collected = bytearray()
        self._latest: tuple[bytes, bool] = b"", False
        self._unheard = False
        self.over = False
        """Whether its fate is known: it ended, or failed."""

    async def begin(self, status: int, headers: Mapping[str, str], *, end: bool) -> Step:
        """Take the answer's status and headers (lower case); ``end``: it has no body."""
        if self._filter is not None or self.over:
            return self._fail(BadAnswer("the answer began twice"), Fate.FAILED)
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in {"", "identity"}:
            error = BadAnswer(f"the model's server compressed its answer ({coding}), which cannot be read")
            return self._fail(error, Fate.UNREADABLE)
        self._events = headers.get("content-type", "").strip().lower().startswith("text/event-stream")
        try:
            self._filter = self._job.work()
            edits = await self._within(self._filter.start(status, headers))
        except Exception as exc:  # noqa: BLE001  # whatever a filter does, the raw answer must not pass
            return self._broken(exc)
        # The length changes with the body, and a stream has none.
        self._edits = HeaderEdits(edits.set, (*edits.remove, "content-length"))
        if not end:
            return Step()
        step = await self.feed(b"", end=True)
        if step.body and step.edits is not None:
            return Step(reply=_whole(status, headers, step.edits, step.body))
        return step

    async def feed(self, data: bytes, *, end: bool) -> Step:
        """Take the next piece of the body; ``end``: it is the last one."""
        if self.over:
            return Step(self.release(), data, end) if self._unheard else Step(end=end)
        self._latest = data, end
        if self._filter is None:
            return self._fail(BadAnswer("the answer has no headers"), Fate.FAILED)
        if not self._events:
            if len(self._collected) + len(data) > self._bounds.max_bytes:
                limit = self._bounds.max_bytes
                error = BadAnswer(f"the model's answer is larger than the limit of {limit} bytes")
                return self._fail(error, Fate.TOO_LARGE)
            self._collected += data
            if not end:
                return Step()
            data = bytes(self._collected)
            self._collected.clear()
            self._latest = data, end
        try:
            out = await self._within(self._filter.feed(data, end=end))
        except Exception as exc:  # noqa: BLE001  # whatever a filter does, the raw answer must not pass
            return self._broken(exc)
        if end:
            self._end(Fate.FILTERED)
            if not self._events:
                self._edits = late_edits(self._edits, self._filter)
        edits = self.release() if out or end else None
        return Step(edits, out, end)

    def release(self) -> HeaderEdits | None:
        """Let the headers go now, with these edits; ``None`` if they are gone."""
        if self._gone:
            return None
        self._gone = True
        return self._edits

    def leave(self) -> None:
        """Nothing more will come, and nobody will hear."""
        if not self.over:
            self._end(Fate.ABANDONED)

    async def _within(self, work: Awaitable[T]) -> T:
        limit = self._bounds.timeout_s
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return await work
        except TimeoutError as exc:
            if deadline.expired():
                raise _Late(f"checking the answer took longer than {limit:g} s") from exc
            raise

    def _broken(self, exc: Exception) -> Step:
        if isinstance(exc, _Late):
            return self._fail(exc, Fate.TIMEOUT)
        if isinstance(exc, HttpError):
            return self._fail(exc, Fate.REFUSED)
        self._report(exc)
        return self._fail(BadAnswer("the answer could not be checked"), Fate.FAILED)

    def _fail(self, error: HttpError, fate: Fate) -> Step:
        if self._job.listening:
            return self._unheeded(fate)
        if not self.over:
            self._end(fate)
        if not self._gone or not self._events:
            return Step(reply=failure_reply(self._job.head, error))
        return Step(body=failure_events(self._job.head, error), end=True)

    def _unheeded(self, fate: Fate) -> Step:
        """Let what there is go, and all that follows: nobody listens any more."""
        data, end = self._latest
        held = bytes(self._collected) + data
        self._unheard = True
        self._end(fate)
        return Step(self.release() if held or end else None, held, end)

    def _end(self, fate: Fate) -> None:
        self.over = True
        self._collected.clear()
        self._tell(fate)


class _Late(BadAnswer):
    """A filter over its time."""


def _whole(status: int, headers: Mapping[str, str], edits: HeaderEdits, body: bytes) -> Reply:
    """An answer that came without a body and leaves with one."""
    kept = {"content-type": headers["content-type"]} if "content-type" in headers else {}
    named = {name: value for name, value in {**kept, **edits.set}.items() if not name.startswith(":")}
    code = edits.set.get(":status", "")
    return Reply(int(code) if code.isdigit() else status, named, body)
