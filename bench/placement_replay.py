"""Engines as queues with a prefix cache, and requests put through them in simulated time: no sockets."""

import heapq
import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from placement_workloads import Turn, Workload

_OVERHEAD_S = 0.005
_SIDE_BY_SIDE = 64
"""Answers at once that halve the speed of each."""
_LOG_S = 0.2
"""Until the access log tells of an end."""
REPORT_S = 1.0


class Router(Protocol):
    """Chooses an engine for each request."""

    def place(self, request: str, session: str, turn: Turn) -> int:
        """The engine's number."""

    def ended(self, request: str) -> None:
        """A request's answer is complete, and the router hears of it."""

    def report(self, engines: "Sequence[Engine]", now: float) -> None:
        """What engines' metrics say, once a second."""


@dataclass
class Engine:
    """Prompts are computed one after the other; answers are generated side by side."""

    workload: Workload
    cache_blocks: int
    free_at: float = 0.0
    running: int = 0
    requests: int = 0
    computed: int = 0
    prefill_s: float = 0.0
    cache: "OrderedDict[int, None]" = field(default_factory=OrderedDict)

    def take(self, turn: Turn, now: float) -> tuple[float, float, int]:
        """When the first token comes, when the last, and how many prompt tokens were cached."""
        cached = 0
        for block in turn.blocks:
            if block not in self.cache:
                break
            cached += 1
        cached = min(cached, len(turn.blocks) - 1)
        self.keep(turn.blocks)
        missing = (len(turn.blocks) - cached) * self.workload.block
        spent = missing / self.workload.prefill_rate
        self.free_at = max(now, self.free_at) + spent + _OVERHEAD_S
        self.requests += 1
        self.computed += missing
        self.prefill_s += spent
        last = self.free_at + turn.generated_s * (1 + self.running / _SIDE_BY_SIDE)
        return self.free_at, last, cached * self.workload.block

    def keep(self, blocks: Sequence[int]) -> None:
        """Put blocks into the cache; the least recently used make room."""
        for block in reversed(blocks):
            self.cache[block] = None
            self.cache.move_to_end(block)
        while len(self.cache) > self.cache_blocks:
            self.cache.popitem(last=False)


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    hit: float
    """Of all prompt tokens, those found in a cache."""
    requests: float
    """Most requests of an engine, to the mean."""
    work: float
    """Most computed tokens of an engine, to the mean."""
    ttft_ms: tuple[float, float, float]
    """Median, 90th and 95th percentile."""


def replay(
    workload: Workload, make: Callable[[Callable[[], float]], Router], *, cache_blocks: int | None = None
) -> Result:
    """Put every request through ``make``'s router, which is given the simulation's clock."""
    blocks = cache_blocks or workload.cache_blocks
    engines = [Engine(workload, blocks) for _ in range(workload.engines)]
    now = 0.0
    router = make(lambda: now)
    order = itertools.count()
    events: list[tuple[float, int, str, int, int, int]] = []
    for number, session in enumerate(workload.sessions):
        heapq.heappush(events, (session.start_s, next(order), "turn", number, 0, 0))
    ttfts: list[float] = []
    hit = total = 0
    next_report = REPORT_S
    while events:
        now, _, kind, number, index, engine = heapq.heappop(events)
        if now >= next_report:
            router.report(engines, now)
            next_report = now + REPORT_S
        session = workload.sessions[number]
        turn, name = session.turns[index], f"{number}/{index}"
        if kind == "turn":
            engine = router.place(name, session.name, turn)
            first, last, cached = engines[engine].take(turn, now)
            engines[engine].running += 1
            ttfts.append(first - now)
            hit, total = hit + cached, total + len(turn.blocks) * workload.block
            heapq.heappush(events, (last, next(order), "end", number, index, engine))
        elif kind == "end":
            engines[engine].running -= 1
            engines[engine].keep(turn.blocks + turn.answer)
            heapq.heappush(events, (now + _LOG_S, next(order), "log", number, index, engine))
            if index + 1 < len(session.turns):
                then = now + session.turns[index + 1].think_s
                heapq.heappush(events, (then, next(order), "turn", number, index + 1, 0))
        else:
            router.ended(name)
    return _result(engines, ttfts, hit / total)


def _result(engines: Sequence[Engine], ttfts: list[float], hit: float) -> Result:
    ttfts.sort()
    median, ninety, most = (1000 * ttfts[int(len(ttfts) * share)] for share in (0.5, 0.9, 0.95))
    return Result(
        hit=hit,
        requests=max(e.requests for e in engines) * len(engines) / sum(e.requests for e in engines),
        work=max(e.computed for e in engines) * len(engines) / sum(e.computed for e in engines),
        ttft_ms=(median, ninety, most),
    )
