"""How busy each endpoint is: what we sent there, and what it says of itself."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from pointsman.fleet.breaker import Breaker, Patience
from pointsman.fleet.load_report import EngineReport

PENDING: Final = 65_536
"""Most requests remembered as in flight; the oldest is taken for ended when there are more."""
ENDPOINTS: Final = 4096
"""Most endpoints remembered; the one heard of longest ago is forgotten first."""
SHARE_SPAN_S: Final = 60.0
"""Time over which a placement's weight in an endpoint's share falls to 1/e."""
SHARE_EVEN: Final = 16.0
"""Placements that each endpoint is taken to have had anyway: of few requests no share is told."""
_RESCALE: Final = 1e100
_LONGEST: Final = 300.0
PREFILL_RATE: Final = 8000.0
"""Prompt tokens an engine computes each second, until its metrics tell better."""
PATIENCE: Final = Patience(failures=1, cool_down_s=2.0, longest_s=30.0)
"""One request that had to be served elsewhere is enough: others can serve the next ones as well."""
_RATES: Final = (200.0, 500_000.0)
"""Rates outside are not believed."""
_RATE_TOKENS: Final = 2000.0
"""Tokens that have to be computed between two reports for a rate to be read from them."""
_RATE_WEIGHT: Final = 0.3
"""Weight of the latest rate beside those before it."""


class EndpointLoad(msgspec.Struct, frozen=True):
    """One endpoint at one moment."""

    in_flight: int = 0
    """Requests we sent there that have not ended."""
    in_flight_tokens: int = 0
    """Prompt tokens of these that it was expected to compute, rather than to find in its cache."""
    backlog: float = 0.0
    """Of all such tokens sent there, those that it has not come to yet, by its usual speed."""
    share: float = 1.0
    """Of the requests lately placed in its pool, to an even share: 1 is even, 2 is twice as many."""
    report: EngineReport | None = None
    """What its metrics said; ``None`` when they are unknown or too old."""
    down: bool = False
    """Whether requests lately failed to reach it, so that others should serve them for a while."""

    @property
    def waiting(self) -> int:
        """Requests in its queue, as far as known."""
        return self.report.waiting if self.report else 0

    @property
    def busy(self) -> float:
        """Requests at work or waiting there: its own word covers other clients, ours what it has not seen."""
        return (
            max(self.in_flight, self.report.running + self.report.waiting) if self.report else self.in_flight
        )


IDLE: Final = EndpointLoad()


class _Tally:
    """What is counted of one endpoint."""

    __slots__ = (
        "backlog",
        "backlog_at",
        "breaker",
        "in_flight",
        "rate",
        "report",
        "reported_at",
        "share",
        "tokens",
    )

    def __init__(self) -> None:
        self.in_flight = 0
        self.tokens = 0
        self.backlog = 0.0
        self.backlog_at = 0.0
        self.rate = PREFILL_RATE
        self.share = 0.0
        self.report: EngineReport | None = None
        self.reported_at = 0.0
        self.breaker: Breaker | None = None

    def waiting_tokens(self, now: float) -> float:
        """The backlog, less what was computed since it was last looked at."""
        if not self.backlog:
            return 0.0
        return max(0.0, self.backlog - (now - self.backlog_at) * self.rate)

    def learn_rate(self, report: EngineReport) -> None:
        """From the growth of its counters; an engine that started anew begins at zero, which is no growth."""
        before = self.report or EngineReport()
        tokens, seconds = report.computed_tokens - before.computed_tokens, report.prefill_s - before.prefill_s
        if self.report is None or tokens < _RATE_TOKENS or seconds <= 0:
            return
        rate = min(max(tokens / seconds, _RATES[0]), _RATES[1])
        self.rate += _RATE_WEIGHT * (rate - self.rate)


class Sent(msgspec.Struct, frozen=True):
    """One request in flight."""

    address: str
    tokens: int
    """Of its prompt, what the endpoint was expected to compute."""
    keys: tuple[int, ...] = ()
    """The prompt's blocks, for an endpoint that serves it instead."""


class Loads:
    """The load view of every endpoint. Lives on the event loop, not for use from several threads.

    A request that began ends once, whatever ``ended`` is told afterwards, so what is in flight returns to
    zero. One that never ends is dropped when ``PENDING`` others came after it.
    """

    def __init__(
        self,
        *,
        stale_s: float = 10.0,
        patience: Patience | None = None,
        pending: int = PENDING,
        endpoints: int = ENDPOINTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stale_s = stale_s
        self._patience = patience or PATIENCE
        self._clock = clock
        self._most_pending = pending
        self._most_endpoints = endpoints
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._unit = 1.0
        """Weight of a placement now. It grows instead of all others shrinking."""
        self._unit_at = clock()

    def view(self, addresses: Iterable[str]) -> tuple[EndpointLoad, ...]:
        """The endpoints of one pool, in the order given; shares are relative to these."""
        tallies = [self._tallies.get(address) for address in addresses]
        known = [tally.share for tally in tallies if tally is not None]
        mean = sum(known) / len(known) if known else 0.0
        now = self._clock()
        even = SHARE_EVEN * self._grown(now)
        return tuple(_load(tally, mean, even, now, now - self._stale_s) for tally in tallies)

    def began(
        self,
        request_id: str,
        address: str,
        pool: Iterable[str],
        tokens: int = 0,
        *,
        keys: tuple[int, ...] = (),
    ) -> None:
        """A request goes to ``address``, one of ``pool``, which will compute ``tokens`` of its prompt."""
        self._spread(address, tuple(pool))
        now = self._clock()
        tally = self._tally(address)
        tally.backlog, tally.backlog_at = tally.waiting_tokens(now) + tokens, now
        if not request_id:
            return  # its end would never be told
        self.ended(request_id)
        if len(self._sent) >= self._most_pending:
            self._release(self._sent.popitem(last=False)[1])
        tally.in_flight += 1
        tally.tokens += tokens
        if tally.breaker is not None:
            tally.breaker.began(request_id, now)
        self._sent[request_id] = Sent(address, tokens, keys)

    def ended(self, request_id: str, *, reached: bool | None = None) -> None:
        """A request has ended, well or not; one that is not known is nothing to worry about.

        ``reached`` says whether the endpoint it was sent to answered; ``None`` when that is not known.
        """
        sent = self._sent.pop(request_id, None)
        if sent is not None:
            self._release(sent)
            self._judge(request_id, sent.address, reached=reached)

    def heed(self, *, stale_s: float) -> None:
        """Take over the bounds of a new document; what is known stays known."""
        self._stale_s = stale_s

    def reported(self, address: str, report: EngineReport) -> None:
        """What an endpoint's metrics say now."""
        tally = self._tally(address)
        tally.learn_rate(report)
        tally.report, tally.reported_at = report, self._clock()

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget endpoints that are not among these."""
        kept = set(addresses)
        for address in [address for address in self._tallies if address not in kept]:
            del self._tallies[address]

    def sent(self, request_id: str) -> Sent | None:
        """A request in flight; ``None`` for one that is not, or that nothing was told about."""
        return self._sent.get(request_id)

    def in_flight(self, address: str) -> int:
        """Requests sent to one endpoint that have not ended."""
        tally = self._tallies.get(address)
        return tally.in_flight if tally else 0

    @property
    def pending(self) -> int:
        """How many requests are in flight."""
        return len(self._sent)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Every endpoint something is known about."""
        return tuple(self._tallies)

    def _judge(self, request_id: str, address: str, *, reached: bool | None) -> None:
        tally = self._tallies.get(address)
        if tally is None:
            return
        if reached:
            tally.breaker = None
        elif reached is False:
            tally.breaker = tally.breaker or Breaker(self._patience)
            tally.breaker.failed(self._clock())
        elif tally.breaker is not None:
            tally.breaker.inconclusive(request_id)

    def _tally(self, address: str) -> _Tally:
        tally = self._tallies.get(address)
        if tally is None:
            if len(self._tallies) >= self._most_endpoints:
                self._tallies.popitem(last=False)
            tally = self._tallies[address] = _Tally()
        return tally

    def _spread(self, address: str, pool: tuple[str, ...]) -> None:
        """Count towards the share. Who joins starts with an even one: a newcomer must not draw everything."""
        known = [self._tallies[each].share for each in pool if each in self._tallies]
        mean = sum(known) / len(known) if known else 0.0
        for each in pool:
            if each not in self._tallies:
                self._tally(each).share = mean
        tally = self._tally(address)
        now = self._clock()
        self._unit, self._unit_at = self._grown(now), now
        if self._unit > _RESCALE:
            for every in self._tallies.values():
                every.share /= self._unit
            self._unit = 1.0
        tally.share += self._unit
        self._tallies.move_to_end(address)

    def _grown(self, now: float) -> float:
        # Beyond the bound everything older counts for nothing anyway.
        return self._unit * math.exp(min((now - self._unit_at) / SHARE_SPAN_S, _LONGEST))

    def _release(self, sent: Sent) -> None:
        tally = self._tallies.get(sent.address)
        if tally is not None:
            # An endpoint that left and came back has a new tally, which owes nothing to the old requests.
            tally.in_flight = max(0, tally.in_flight - 1)
            tally.tokens = max(0, tally.tokens - sent.tokens) if tally.in_flight else 0
            if not tally.in_flight:
                tally.backlog = 0.0  # whatever its speed, it has nothing of ours to do


def _load(tally: _Tally | None, mean: float, even: float, now: float, fresh_from: float) -> EndpointLoad:
    if tally is None:
        return IDLE
    return EndpointLoad(
        tally.in_flight,
        tally.tokens,
        tally.waiting_tokens(now),
        (tally.share + even) / (mean + even),
        tally.report if tally.reported_at >= fresh_from else None,
        tally.breaker is not None and tally.breaker.down(now),
    )
