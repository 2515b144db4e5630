"""The engine: who runs, who waits, and when each token is due. It knows no HTTP and makes no text."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from pointsman.sim.metrics import LoadNow, Metrics
from pointsman.sim.prefix_cache import BLOCK_TOKENS, PrefixCache
from pointsman.sim.settings import SimSettings
from pointsman.sim.slots import Slots


@dataclass(frozen=True)
class Clock:
    """Where time comes from; tests put their own in."""

    now: Callable[[], float] = time.monotonic
    """Seconds, never going back."""
    unix: Callable[[], float] = time.time
    """Unix seconds."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True)
class Job:
    """What the engine must know of a request: sizes and names, not meaning."""

    model: str
    """The base model or a LoRA adapter."""
    prompt: Sequence[str]
    """The prompt's tokens."""
    steps: int
    """Tokens to generate for each choice."""
    choices: int = 1
    """Answers generated side by side."""
    cache_salt: str = ""
    """Prompts share cached prefixes only under one model and one salt."""


@dataclass(frozen=True)
class Pace:
    """When tokens are due: the first after `first_s` seconds, each other `gap_s` seconds later."""

    first_s: float
    gap_s: float

    def due(self, index: int) -> float:
        """Seconds from the start to the token at this index."""
        return self.first_s + index * self.gap_s


def pace(settings: SimSettings, uncached_tokens: int) -> Pace:
    """The pace of a request whose prompt has this many tokens to compute."""
    prefill_s = uncached_tokens / settings.prefill_rate if settings.prefill_rate else 0.0
    gap_s = 1.0 / settings.rate if settings.rate else 0.0
    return Pace(settings.ttft_ms / 1000.0 + prefill_s, gap_s)


class Engine:
    """One simulated engine: slots, prefix cache, metrics, clock."""

    def __init__(self, settings: SimSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.slots = Slots(settings.max_concurrency, settings.max_waiting)
        self.cache = PrefixCache(settings.kv_blocks)
        self.metrics = Metrics(settings, self._load)
        self.runs: set[Run] = set()

    def admit(self, job: Job) -> "Run":
        """Give a job a slot or a place in line. Raises QueueFullError."""
        return Run(self, job)

    def _load(self) -> LoadNow:
        held = sum(run.kv_tokens for run in self.runs)
        loras = {run.job.model: run.started for run in self.runs if run.job.model != self.settings.model}
        return LoadNow(
            running=self.slots.running,
            waiting=self.slots.waiting,
            kv_usage=min(1.0, held / (self.settings.kv_blocks * BLOCK_TOKENS)),
            running_loras=tuple(sorted(name for name, started in loras.items() if started)),
            waiting_loras=tuple(sorted(name for name, started in loras.items() if not started)),
            now=self.clock.unix(),
        )


class Run:
    """One request inside the engine, from admission to its end, whichever way it ends.

    A context manager: leaving it frees the slot and counts the outcome.
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self.job = job
        self.started = False
        self.cached_tokens = 0
        self._engine = engine
        self._ticket = engine.slots.take()
        self._arrived = engine.clock.now()
        self._start = self._first = self._arrived
        self._pace = Pace(0.0, 0.0)
        self._made = 0
        self._outcome: Literal["stop", "length", "error"] | None = None

    @property
    def kv_tokens(self) -> int:
        """Tokens this run holds in the KV cache now."""
        return len(self.job.prompt) + self._made * self.job.choices if self.started else 0

    def __enter__(self) -> Self:
        self._engine.runs.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        metrics = self._engine.metrics
        if self._outcome is not None:  # vLLM does not count the aborted either
            metrics.finished[self._outcome].inc()
        if self._outcome in {"stop", "length"}:
            elapsed = self._engine.clock.now() - self._arrived
            metrics.latency.observe(elapsed)
            metrics.answer_lengths.observe(self._made * self.job.choices)
            metrics.per_token.observe((self._arrived + elapsed - self._first) / max(1, self._made - 1))
        self._engine.runs.discard(self)
        self._ticket.give_back()

    async def start(self) -> None:
        """Wait for a slot, then look the prompt up in the prefix cache."""
        await self._ticket.turn()
        engine, job = self._engine, self.job
        self._start = engine.clock.now()
        self.started = True
        seed = f"{job.model}\0{job.cache_salt}"
        self.cached_tokens = engine.cache.match(seed, job.prompt)
        engine.cache.store(seed, job.prompt)
        self._pace = pace(engine.settings, len(job.prompt) - self.cached_tokens)
        engine.metrics.queue_time.observe(self._start - self._arrived)
        engine.metrics.prompt_tokens.inc(len(job.prompt))
        engine.metrics.prompt_lengths.observe(len(job.prompt))
        engine.metrics.cache_queries.inc(len(job.prompt))
        engine.metrics.cache_hits.inc(self.cached_tokens)

    async def reach(self, index: int) -> None:
        """Wait until the token at this index is made. Indices go up; skipped ones are made on the way."""
        clock = self._engine.clock
        if self._made == 0:
            await clock.sleep(max(0.0, self._start + self._pace.due(0) - clock.now()))
            self._first = clock.now()
            self._engine.metrics.ttft.observe(self._first - self._arrived)
        if index > 0:
            await clock.sleep(max(0.0, self._start + self._pace.due(index) - clock.now()))
        self._engine.metrics.generation_tokens.inc((index + 1 - self._made) * self.job.choices)
        self._made = index + 1

    def finish(self, outcome: Literal["stop", "length", "error"]) -> None:
        """Say how the answer ended; a run that nobody finished was aborted."""
        self._outcome = outcome
