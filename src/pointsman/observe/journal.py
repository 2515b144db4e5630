"""Joins each ruling with what became of the request, so that every request is one record."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

import msgspec

from pointsman.core.trace import Ruling
from pointsman.observe.outcome import Outcome
from pointsman.observe.summary import Summary

NO_OUTCOME = "no_outcome"
NO_RULING = "no_ruling"
OVERFLOW = "overflow"
SUPERSEDED = "superseded"
NO_REQUEST_ID = "no_request_id"
SHUTDOWN = "shutdown"


class Entry(msgspec.Struct, frozen=True):
    """All that is known about one request; at least one of `summary` and `outcome` is there."""

    summary: Summary | None
    outcome: Outcome | None
    incomplete: str = ""
    """Why a half is missing although one was expected; empty when nothing is."""

    @property
    def request_id(self) -> str:
        """The data plane's id of the request, or an empty string."""
        half = self.summary or self.outcome
        return half.request_id if half else ""

    @property
    def status(self) -> int:
        """The status the client saw or, when only our own answer is known, that one; else 0."""
        if self.outcome is not None:
            return self.outcome.status
        return self.summary.reply_status if self.summary else 0


Half = TypeVar("Half", Summary, Outcome)
Pending = OrderedDict[str, tuple[float, Half]]


class Journal:
    """Waits for the two halves of each request, in either order, and hands every request on exactly once.

    At most `limit` rulings and `limit` outcomes wait; the oldest gives way to a new one. A ruling waits
    `ttl_s` for its outcome, as an answer may take long; an outcome waits `outcome_ttl_s` for a ruling
    that is on its way. Two requests under one id, which a client behind a trusting data plane can cause,
    do not wait side by side: the older half is handed on alone. Not for use from several threads.
    """

    def __init__(
        self,
        emit: Callable[[Entry], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        limit: int = 16_384,
        ttl_s: float = 3600.0,
        outcome_ttl_s: float = 10.0,
    ) -> None:
        if limit < 1 or ttl_s <= 0 or outcome_ttl_s <= 0:
            raise ValueError(f"limit and times must be positive: {limit}, {ttl_s}, {outcome_ttl_s}")
        self._emit = emit
        self._clock = clock
        self._limit = limit
        self._ttl_s = ttl_s
        self._outcome_ttl_s = outcome_ttl_s
        self._rulings: Pending[Summary] = OrderedDict()
        self._outcomes: Pending[Outcome] = OrderedDict()

    @property
    def pending(self) -> int:
        """How many halves wait."""
        return len(self._rulings) + len(self._outcomes)

    def ruled(self, ruling: Ruling, *, final: bool = False) -> None:
        """Take a ruling; `final` says that no outcome will come (our own answer in a foreign data plane)."""
        summary = Summary.of(ruling)
        self.expire()
        if final or not summary.request_id:
            self._emit(Entry(summary, None, "" if final else NO_REQUEST_ID))
            return
        waiting = self._outcomes.pop(summary.request_id, None)
        if waiting is not None:
            self._emit(Entry(summary, waiting[1]))
            return
        for half, reason in self._put(self._rulings, summary):
            self._emit(Entry(half, None, reason))

    def ended(self, outcome: Outcome) -> None:
        """Take what became of a request."""
        self.expire()
        if not outcome.request_id:
            self._emit(Entry(None, outcome, NO_REQUEST_ID))
            return
        waiting = self._rulings.pop(outcome.request_id, None)
        if waiting is not None:
            self._emit(Entry(waiting[1], outcome))
            return
        for half, reason in self._put(self._outcomes, outcome):
            self._emit(Entry(None, half, reason))

    def lost(self, request_id: str) -> None:
        """Hand on a ruling whose end nobody will tell."""
        waiting = self._rulings.pop(request_id, None)
        if waiting is not None:
            self._emit(Entry(waiting[1], None, NO_OUTCOME))

    def lost_all(self) -> None:
        """Hand on every ruling: the data plane that would have told their ends is gone."""
        for _, summary in _drained(self._rulings):
            self._emit(Entry(summary, None, NO_OUTCOME))

    def expire(self) -> None:
        """Hand on what has waited too long. Call it about once a second, for times without requests."""
        now = self._clock()
        for summary in _overdue(self._rulings, now - self._ttl_s):
            self._emit(Entry(summary, None, NO_OUTCOME))
        for outcome in _overdue(self._outcomes, now - self._outcome_ttl_s):
            self._emit(Entry(None, outcome, NO_RULING))

    def close(self) -> None:
        """Hand on everything that waits."""
        for _, summary in _drained(self._rulings):
            self._emit(Entry(summary, None, SHUTDOWN))
        for _, outcome in _drained(self._outcomes):
            self._emit(Entry(None, outcome, SHUTDOWN))

    def _put(self, pending: Pending[Half], half: Half) -> list[tuple[Half, str]]:
        # What has to leave is returned, and handed on only once the journal is consistent again.
        leaving = []
        older = pending.pop(half.request_id, None)
        if older is not None:
            leaving.append((older[1], SUPERSEDED))
        if len(pending) >= self._limit:
            leaving.append((pending.popitem(last=False)[1][1], OVERFLOW))
        pending[half.request_id] = (self._clock(), half)
        return leaving


def _overdue(pending: Pending[Half], before: float) -> list[Half]:
    # Insertion order is age: only as many are looked at as leave, plus one.
    overdue = []
    while pending:
        request_id, (since, half) = next(iter(pending.items()))
        if since > before:
            break
        del pending[request_id]
        overdue.append(half)
    return overdue


def _drained(pending: Pending[Half]) -> list[tuple[float, Half]]:
    drained = list(pending.values())
    pending.clear()
    return drained
