"""What runs beside placement: looks at engines' load, their cache events, and what became of requests."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable

import structlog

from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward
from pointsman.fleet.kv_decode import Event
from pointsman.fleet.kv_events import pyzmq
from pointsman.fleet.kv_watch import KvWatch, sources_at
from pointsman.fleet.load_watch import LoadWatch
from pointsman.fleet.roster import Roster
from pointsman.observe.journal import Entry
from pointsman.observe.metrics import Metrics
from pointsman.runtime import Runtime

_UNREACHED = frozenset({"upstream_connection_failure", "no_healthy_upstream"})


class Placing:
    """Keeps a runtime's memory of placements true. Without a placer it does nothing."""

    def __init__(self, runtime: Runtime, metrics: Metrics) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self._placer = runtime.pipeline.placer
        self._kv: KvWatch | None = None
        self._log = structlog.get_logger()
        self._failures = runtime.memory.failures
        if self._placer is not None and self._placer.policy.reads_events:
            pyzmq()  # what is missing is said at the start

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Begin to look; the stack ends it."""
        if self._placer is None:
            return
        settings, roster, memory = self._placer.settings, self._placer.roster, self._placer.memory
        stack.callback(roster.listen(self._on_roster))
        watch = LoadWatch(
            roster,
            memory.loads,
            interval_s=settings.load_interval,
            timeout_s=settings.load_timeout,
            on_look=lambda look: self._metrics.record_load_look(str(look)),
        )
        self._keep(stack, watch.run())
        if self._placer.tokens is not None:
            stack.push_async_callback(self._placer.tokens.close)
        if self._placer.policy.reads_events:
            events = settings.events
            sources = sources_at(
                port=events.port, replay_port=events.replay_port, topic=events.topic, ranks=events.ranks
            )
            self._kv = KvWatch(roster, sources, self._on_events, memory.caches.reset)
            self._keep(stack, self._kv.run())

    def began(self, ruling: Ruling) -> None:
        """A request goes on its way."""
        placement = ruling.trace.placement
        if self._placer is None or placement is None or not isinstance(ruling.verdict, Forward):
            return
        self._placer.memory.began(
            ruling.trace.request_id, ruling.verdict.pool, placement, self._placer.roster
        )
        self._metrics.record_placement(ruling.verdict.pool, placement)

    def ended(self, entry: Entry) -> None:
        """A request has ended, or its end will never be known."""
        if self._placer is None:
            return
        outcome = entry.outcome
        endpoint = outcome.endpoint if outcome else ""
        failed = outcome is not None and not _UNREACHED.isdisjoint(outcome.flags.split(","))
        self._placer.memory.ended(entry.request_id, endpoint, failed=failed)

    def tick(self) -> None:
        """Once a second."""
        if self._placer is None:
            return
        memory = self._placer.memory
        memory.refresh(self._placer.roster)
        if memory.failures > self._failures:
            self._log.error(
                "placement failed", times=memory.failures - self._failures, exc_info=memory.failure
            )
            self._metrics.record_placement_failures(memory.failures - self._failures)
            self._failures = memory.failures
        used = memory.prefixes.bytes + memory.caches.bytes
        loads = {address: memory.loads.in_flight(address) for address in memory.loads.endpoints}
        self._metrics.record_placing(loads, index_bytes=used)
        for tally in self._kv.tallies.values() if self._kv else ():
            self._metrics.record_kv_events(tally.take())

    def _on_roster(self, roster: Roster) -> None:
        self._runtime.memory.refresh(roster)

    def _on_events(self, address: str, rank: int, events: Iterable[Event]) -> None:
        self._runtime.memory.caches.apply(address, rank, events)

    @staticmethod
    def _keep(stack: contextlib.AsyncExitStack, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        stack.push_async_callback(end)
