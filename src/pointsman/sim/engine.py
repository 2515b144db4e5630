"""The engine: who runs, who waits, and when each token is due. It knows no HTTP and makes no text."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from pointsman.sim.adapters import Adapters
from pointsman.sim.kv_events import Event
from pointsman.sim.metrics import LoadNow, Metrics
from pointsman.sim.prefix_cache import BLOCK_TOKENS, Chain, PrefixCache
from pointsman.sim.settings import SimSettings
from pointsman.sim.slots import Slots

SleepLevel = Literal[0, 1, 2]


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
    """Tokens to generate for each choice; 0: the prompt is only read, as for an embedding."""
    choices: int = 1
    """Answers generated side by side."""
    cache_salt: str = ""
    """Prompts share cached prefixes only under one model and one salt."""
    answer: Sequence[str] = ()
    """The tokens of the first choice, which the cache remembers behind the prompt."""


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
    """One simulated engine: slots, prefix cache, adapters, metrics, clock."""

    def __init__(self, settings: SimSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.adapters = Adapters(settings)
        self.slots = Slots(settings.max_concurrency, settings.max_waiting, settings.most_loras)
        self.cache = PrefixCache(settings.kv_blocks)
        self.sleep_level: SleepLevel | None = None
        """None: awake."""
        self._awake = asyncio.Event()
        self._awake.set()
        self._publish: Callable[[list[Event]], None] | None = None
        self.metrics = Metrics(settings, self.load)
        self.runs: set[Run] = set()

    def admit(self, job: Job) -> "Run":
        """Give a job a slot or a place in line. Raises QueueFullError."""
        return Run(self, job)

    def publish_to(self, publish: Callable[[list[Event]], None]) -> None:
        """Hand the cache's events to this from now on."""
        self.cache.recording = True
        self._publish = publish

    def flush(self) -> None:
        """Publish what happened to the cache: once an engine step."""
        if self._publish is not None and (found := self.cache.take_events()):
            self._publish(found)

    def fall_asleep(self, level: SleepLevel) -> None:
        """Stop starting requests; from level 1 on the cache is lost. Those that run finish."""
        self.sleep_level = level
        self._awake.clear()
        if level:
            self.cache.clear()

    def wake_up(self) -> None:
        """Go on with what came in meanwhile."""
        self.sleep_level = None
        self._awake.set()

    async def awake(self) -> None:
        """Wait until the engine does not sleep."""
        await self._awake.wait()

    def load(self) -> LoadNow:
        """The load now."""
        blocks = self.cache.held + sum(run.private_blocks for run in self.runs)
        loras = [run for run in self.runs if run.adapter is not None]
        running = {run.job.model for run in loras if run.started}
        started = sum(run.started for run in self.runs)
        return LoadNow(
            running=started,
            # in line, kept by a sleeping engine, or waiting for another engine's blocks
            waiting=len(self.runs) - started,
            kv_usage=min(1.0, blocks / self.settings.kv_blocks),
            max_loras=self.settings.most_loras if len(self.adapters) or loras else None,
            running_loras=tuple(sorted(running)),
            waiting_loras=tuple(sorted({run.job.model for run in loras if not run.started} - running)),
            sleep_level=self.sleep_level,
            now=self.clock.unix(),
        )


class Run:
    """One request inside the engine, from admission to its end, whichever way it ends.

    A context manager: leaving it frees the slot and counts the outcome.
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self.job = job
        self.adapter = engine.adapters.number(job.model)
        self.started = False
        self.cached_tokens = 0
        self.blocks: list[int] = []
        """The cached blocks this run holds."""
        self._engine = engine
        self._ticket = engine.slots.take(job.model if self.adapter is not None else None)
        self._arrived = engine.clock.now()
        self._start = self._first = self._last = self._arrived
        self._late_s = 0.0
        self._pace = Pace(0.0, 0.0)
        self._made = 0
        self._outcome: Literal["stop", "length", "error"] | None = None

    @property
    def private_blocks(self) -> int:
        """Blocks this run needs now beside the cached ones it holds."""
        if not self.started:
            return 0
        tokens = len(self.job.prompt) + self._made * self.job.choices
        return max(0, -(-tokens // BLOCK_TOKENS) - len(self.blocks))

    def __enter__(self) -> Self:
        self._engine.runs.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine = self._engine
        if self._outcome is not None:  # vLLM does not count the aborted either
            engine.metrics.finished[self._outcome].inc()
        if self._outcome in {"stop", "length"}:
            self._measure(engine.clock.now())
        engine.cache.release(self.blocks)
        engine.runs.discard(self)
        self._ticket.give_back()

    async def start(self, external_tokens: int = 0) -> None:
        """Wait for a slot, then look the prompt up in the prefix cache.

        `external_tokens`: how many of the prompt's tokens another engine has computed and handed over.
        """
        await self._ticket.turn()
        await self._engine.awake()
        engine, job = self._engine, self.job
        self._start = engine.clock.now()
        self.started = True
        chain = self._chain(job.prompt)
        self.cached_tokens = engine.cache.match(chain)
        handed = max(0, min(external_tokens, len(job.prompt)) - self.cached_tokens)
        self.blocks = engine.cache.hold(chain)
        engine.flush()
        computed = len(job.prompt) - self.cached_tokens - handed
        self._pace = pace(engine.settings, computed)
        engine.metrics.queue_time.observe(self._start - self._arrived)
        engine.metrics.began(len(job.prompt), self.cached_tokens, handed)

    def come_late(self, seconds: float) -> None:
        """Put the first token off by this."""
        self._late_s = seconds

    async def read(self) -> None:
        """Wait until the prompt is computed, which is when the first token is due."""
        clock = self._engine.clock
        await clock.sleep(max(0.0, self._start + self._late_s + self._pace.due(0) - clock.now()))
        self._first = self._last = clock.now()
        self._engine.metrics.ttft.observe(self._first - self._arrived)

    async def reach(self, index: int) -> None:
        """Wait until the token at this index is made. Indices go up; skipped ones are made on the way."""
        clock = self._engine.clock
        if self._made == 0:
            await self.read()
        if index > 0:
            await clock.sleep(max(0.0, self._start + self._late_s + self._pace.due(index) - clock.now()))
        now, gaps = clock.now(), index - max(0, self._made - 1)
        if gaps > 0:
            self._engine.metrics.between_tokens.observe((now - self._last) / gaps, gaps)
        self._last = now
        self._engine.metrics.generation_tokens.inc((index + 1 - self._made) * self.job.choices)
        self._made = index + 1

    def finish(self, outcome: Literal["stop", "length", "error"]) -> None:
        """Say how the answer ended; a run that nobody finished was aborted."""
        self._outcome = outcome
        whole_prompt = len(self.blocks) == len(self.job.prompt) // BLOCK_TOKENS
        if outcome != "error" and self.job.answer and whole_prompt:
            chain = self._chain([*self.job.prompt, *self.job.answer], self.blocks)
            self.blocks = [*self.blocks, *self._engine.cache.hold(chain, len(self.blocks))]
            self._engine.flush()

    def keep_blocks(self) -> list[int]:
        """The held blocks, which the caller releases from now on."""
        blocks, self.blocks = self.blocks, []
        return blocks

    def _chain(self, pieces: Sequence[str], known: Sequence[int] = ()) -> Chain:
        name = self.job.model if self.adapter is not None else None
        return Chain(pieces, name, self.adapter, self.job.cache_salt, known)

    def _measure(self, now: float) -> None:
        metrics, made = self._engine.metrics, self._made
        metrics.latency.observe(now - self._arrived)
        metrics.inference_time.observe(now - self._start)
        metrics.prefill_time.observe(self._first - self._start)
        metrics.decode_time.observe(now - self._first)
        metrics.answer_lengths.observe(made * self.job.choices)
        metrics.per_token.observe((now - self._first) / max(1, made - 1))
