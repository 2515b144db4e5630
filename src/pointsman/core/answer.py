"""Work on an answer on its way to the client, handed to the data plane by a plugin that must see it."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from pointsman.core.header_edits import HeaderEdits


class AnswerFilter(Protocol):
    """Rewrites one answer. Made for one request, fed from one task, thrown away afterwards.

    The bytes are the engine's body as it streams: a JSON document or server-sent events, cut anywhere. What
    a filter holds back must be bounded.
    """

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        """Look at the answer's status and headers (names in lower case); returns edits of the headers.

        An edit may set ``:status``. Raising an ``HttpError``, here or in ``feed``, puts that error in the
        place of the answer, in the client's shape.
        """

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        """Take the next piece, ``end`` with the last one, which may be empty; returns what the client gets.

        Anything but an event stream comes in one piece. An answer that is malformed passes or, where the
        filter guards, is put aside with an ``HttpError``; in the middle of a stream that is an error event
        and the end.
        """


@runtime_checkable
class LateHeaders(Protocol):
    """A filter that learns from the body what a header should say."""

    def late(self) -> HeaderEdits:
        """Edits of the headers, asked for once the whole body was fed, where they are still held back."""


@runtime_checkable
class Altering(Protocol):
    """A filter that can say whether it found something that had to be changed, withheld or warned of."""

    @property
    def altered(self) -> bool:
        """Whether it did so far."""


def altered(work: AnswerFilter) -> bool:
    """Whether a guard among the filters found something."""
    return isinstance(work, Altering) and work.altered


def late_edits(edits: HeaderEdits, work: AnswerFilter) -> HeaderEdits:
    """``edits`` with what the filter learnt since."""
    more = work.late() if isinstance(work, LateHeaders) else HeaderEdits()
    return HeaderEdits({**edits.set, **more.set}, (*edits.remove, *more.remove)) if more.set else edits


AnswerWork = Callable[[], AnswerFilter]
"""Makes the filter when the answer begins."""


def chained(works: tuple[AnswerWork, ...]) -> AnswerWork | None:
    """One filter that passes the answer through all of ``works`` in order; ``None`` for none."""
    if not works:
        return None
    return works[0] if len(works) == 1 else lambda: _Chain(tuple(work() for work in works))


class _Chain:
    """Filters in a row, the first nearest to the engine."""

    def __init__(self, filters: tuple[AnswerFilter, ...]) -> None:
        self._filters = filters

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        edits = HeaderEdits()
        seen = dict(headers)
        for each in self._filters:
            more = await each.start(status, seen)
            status = int(more.set.get(":status", status))
            seen = {name: value for name, value in seen.items() if name not in more.remove} | dict(more.set)
            kept = {name: value for name, value in edits.set.items() if name not in more.remove}
            edits = HeaderEdits({**kept, **more.set}, (*edits.remove, *more.remove))
        return edits

    @property
    def altered(self) -> bool:
        return any(altered(each) for each in self._filters)

    def late(self) -> HeaderEdits:
        edits = HeaderEdits()
        for each in self._filters:
            edits = late_edits(edits, each)
        return edits

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        for each in self._filters:
            data = await each.feed(data, end=end)
        return data
