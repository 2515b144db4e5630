"""The fleet as its traffic shows it: what is in flight, how fast models answer, which pools are gone."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

from pointsman.fleet.breaker import Breaker, Patience
from pointsman.fleet.ending import Ending, Verdict
from pointsman.fleet.state import Status
from pointsman.fleet.window import Window

Thing = TypeVar("Thing")

MODELS: Final = 1024
"""Most models and most pools remembered; the one heard of longest ago is forgotten first."""


class Capacity(msgspec.Struct, frozen=True):
    """How many requests a pool may have in flight before it counts as saturated."""

    per_model: int | None = None
    """For every pool without a bound of its own; ``None`` is no bound."""
    of: Mapping[str, int] = MappingProxyType({})
    """By pool, which is named like its provider model."""

    def bound(self, pool: str) -> int | None:
        """The bound of one pool."""
        return self.of.get(pool, self.per_model)


class PoolView(msgspec.Struct, frozen=True):
    """One pool, for people and metrics."""

    in_flight: int
    down: bool


class _Record:
    """What is remembered of one model."""

    def __init__(self) -> None:
        self.ttft = Window()
        self.tpot = Window()
        self.success = Window()


class ObservedFleet:
    """Implements ``fleet.state.Measured`` from the beginnings and ends of requests.

    Whoever reports a beginning reports one end, known or not; the journal hands on every request exactly
    once, so what is in flight returns to zero. Lives on the event loop, not for use from several threads.
    """

    def __init__(
        self,
        capacity: Capacity | None = None,
        patience: Patience | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity or Capacity()
        self._patience = patience or Patience()
        self._clock = clock
        self._usable: Callable[[str], bool] = _any
        self._models: Counter[str] = Counter()
        self._pools: Counter[str] = Counter()
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    def heed(self, capacity: Capacity, patience: Patience) -> None:
        """Take over the bounds of a new document; what is known stays known."""
        self._capacity = capacity
        self._patience = patience

    def follow(self, usable: Callable[[str], bool]) -> None:
        """Ask ``usable`` whether a pool has endpoints to send requests to; one without is down."""
        self._usable = usable

    def began(self, request_id: str, pool: str, model: str) -> None:
        """A request is on its way to a pool."""
        self._pools[pool] += 1
        self._models[model] += 1
        breaker = self._breakers.get(pool)
        if breaker is not None:
            breaker.began(request_id, self._clock())

    def ended(self, request_id: str, pool: str, model: str, ending: Ending | None) -> None:
        """A request that began has ended; ``None`` when nothing is known of its end."""
        _decrement(self._pools, pool)
        _decrement(self._models, model)
        now = self._clock()
        self._judge(request_id, pool, ending.verdict if ending else Verdict.INCONCLUSIVE, now)
        if ending is not None:
            self._measure(model, ending, now)

    def status(self, pool: str) -> Status:
        """``DOWN`` before ``SATURATED`` before ``OK``."""
        breaker = self._breakers.get(pool)
        if (breaker is not None and breaker.down(self._clock())) or not self._usable(pool):
            return Status.DOWN
        bound = self._capacity.bound(pool)
        return Status.SATURATED if bound is not None and self._pools[pool] >= bound else Status.OK

    def in_flight(self, model: str) -> int:
        """Requests sent to a model whose answer has not ended."""
        return self._models[model]

    def ttft_ms(self, model: str, percentile: int) -> float | None:
        """From the last 512 streams of ten minutes at most."""
        record = self._records.get(model)
        return record.ttft.percentile(percentile, self._clock()) if record else None

    def tpot_ms(self, model: str, percentile: int) -> float | None:
        """From the last 512 streams of ten minutes at most; an estimate (see ``Ending.tpot_ms``)."""
        record = self._records.get(model)
        return record.tpot.percentile(percentile, self._clock()) if record else None

    def success_share(self, model: str) -> float | None:
        """Of the last 512 requests of ten minutes at most."""
        record = self._records.get(model)
        return record.success.mean(self._clock()) if record else None

    def failures(self, pool: str) -> int:
        """Failures in a row to reach a pool."""
        breaker = self._breakers.get(pool)
        return breaker.failures if breaker else 0

    def pools(self) -> Mapping[str, PoolView]:
        """Every pool with something to tell: requests in flight, or failures."""
        now = self._clock()
        names = dict.fromkeys((*self._pools, *self._breakers))
        return {
            name: PoolView(self._pools[name], down=name in self._breakers and self._breakers[name].down(now))
            for name in names
        }

    @property
    def remembered(self) -> int:
        """How many models have measurements."""
        return len(self._records)

    def _judge(self, request_id: str, pool: str, verdict: Verdict, now: float) -> None:
        breaker = self._breakers.get(pool)
        if verdict is Verdict.UNREACHED:
            breaker = breaker or _put(self._breakers, pool, Breaker(self._patience))
            breaker.failed(now)
        elif breaker is not None and verdict is Verdict.REACHED:
            del self._breakers[pool]
        elif breaker is not None:
            breaker.inconclusive(request_id)

    def _measure(self, model: str, ending: Ending, now: float) -> None:
        success = ending.success
        if success is None:
            return
        record = self._records.get(model) or _put(self._records, model, _Record())
        self._records.move_to_end(model)
        record.success.add(float(success), now)
        if not success:
            return
        if ending.stream and ending.ttfb_ms is not None:
            record.ttft.add(ending.ttfb_ms, now)
        tpot = ending.tpot_ms(model)
        if tpot is not None:
            record.tpot.add(tpot, now)


def _any(pool: str) -> bool:
    """Nobody looks: every pool is taken to have endpoints."""
    del pool
    return True


def _decrement(counts: Counter[str], name: str) -> None:
    """One less; names at zero are forgotten, so that only what is in flight takes room."""
    if counts[name] > 1:
        counts[name] -= 1
    else:
        del counts[name]


def _put(entries: "OrderedDict[str, Thing]", name: str, value: Thing) -> Thing:
    if len(entries) >= MODELS:
        entries.popitem(last=False)
    entries[name] = value
    return value
