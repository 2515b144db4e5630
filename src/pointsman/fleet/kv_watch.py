"""One subscription for each engine process of the roster, for as long as it is there."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Final

from pointsman.core.endpoint import Endpoint
from pointsman.fleet.kv_events import KvSubscription, OnEvents, OnReset, Source, Tally
from pointsman.fleet.roster import Roster

SUBSCRIPTIONS: Final = 1024
"""Most at the same time; replicas beyond are known by what was sent to them alone."""
EVENTS_LABEL: Final = "kv-events-port"
REPLAY_LABEL: Final = "kv-replay-port"
_LOOK_S: Final = 1.0


class KvWatch:
    """Follows the roster until cancelled."""

    def __init__(
        self,
        roster: Roster,
        sources: Callable[[Endpoint], Iterator[Source]],
        on_events: OnEvents,
        on_reset: OnReset,
    ) -> None:
        self._roster = roster
        self._sources = sources
        self._on_events = on_events
        self._on_reset = on_reset
        self._running: dict[Source, tuple[KvSubscription, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Start and end subscriptions as replicas come and go."""
        try:
            while True:
                await self._follow()
                await asyncio.sleep(_LOOK_S)
        finally:
            for source in tuple(self._running):
                await self._end(source)

    @property
    def tallies(self) -> dict[Source, Tally]:
        """What each subscription met."""
        return {source: subscription.tally for source, (subscription, _) in self._running.items()}

    async def _follow(self) -> None:
        found = (endpoint for pool in self._roster.pools.values() for endpoint in pool)
        wanted = {source for endpoint in found for source in self._sources(endpoint)}
        for source in self._running.keys() - wanted:
            await self._end(source)
            self._on_reset(source.address, source.rank)
        for source in sorted(wanted - self._running.keys(), key=lambda one: (one.address, one.rank)):
            if len(self._running) >= SUBSCRIPTIONS:
                return
            subscription = KvSubscription(source, self._on_events, self._on_reset)
            self._running[source] = subscription, asyncio.create_task(subscription.run())

    async def _end(self, source: Source) -> None:
        _, task = self._running.pop(source)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def sources_at(
    *, port: int, replay_port: int, topic: str, ranks: int
) -> Callable[[Endpoint], Iterator[Source]]:
    """Every replica publishes on these ports of its own address, one more for each rank.

    The labels ``kv-events-port`` and ``kv-replay-port`` name other ports, for replicas that share a host.
    """

    def sources(endpoint: Endpoint) -> Iterator[Source]:
        host = endpoint.address.rpartition(":")[0]
        first, again = _port(endpoint, EVENTS_LABEL, port), _port(endpoint, REPLAY_LABEL, replay_port)
        for rank in range(ranks):
            replay = f"tcp://{host}:{again + rank}" if again else ""
            yield Source(endpoint.address, rank, f"tcp://{host}:{first + rank}", replay, topic)

    return sources


def _port(endpoint: Endpoint, label: str, otherwise: int) -> int:
    written = endpoint.labels.get(label, "")
    return int(written) if written.isdecimal() and len(written) <= 5 and int(written) <= 65_535 else otherwise
