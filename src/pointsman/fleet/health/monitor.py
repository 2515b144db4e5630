"""Sightings and probes become the roster: who is there, what they serve, whether they may be chosen."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from pointsman.config.replicas import HealthChecks
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.discovery.backoff import around
from pointsman.fleet.discovery.source import Publish
from pointsman.fleet.health.probe import Prober, Question
from pointsman.fleet.health.standing import Answer, Probed, Standing
from pointsman.fleet.roster import Roster

_QUICKEST_S = 0.1
"""Shortest time between two probes of a replica, whatever traffic says about it."""
_COALESCE_S = 0.005
"""Changes within this time reach the roster together."""
_WORSE = {Health.DRAINING: 3, Health.DOWN: 2, Health.READY: 1}
"""Which of two sources is believed about the same replica."""

OnProbe = Callable[[Answer], None]


class Served(msgspec.Struct, frozen=True):
    """What the document says about one provider model."""

    names: frozenset[str]
    """Names by which its engines know it."""
    headers: Mapping[str, str] = {}
    """Credentials. Never logged."""


@dataclass
class _Watch:
    """One address under probes."""

    standing: Standing = field(default_factory=Standing)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None
    named_at: float = -1e9
    """When its names were last asked for."""


class Monitor:
    """Publishes into one roster; ``run`` probes until it is cancelled. Belongs to one event loop."""

    def __init__(
        self,
        roster: Roster,
        checks: HealthChecks,
        served: Mapping[str, Served],
        prober: Prober,
        *,
        headers: Mapping[str, str] | None = None,
        on_probe: OnProbe = lambda _: None,
    ) -> None:
        self._roster = roster
        self._checks = checks
        self._served = served
        self._prober = prober
        self._headers = headers or {}
        self._on_probe = on_probe
        self._trusted = frozenset(checks.trust)
        self._sources: dict[str, tuple[Endpoint, ...]] = {}
        self._sightings: dict[str, list[Endpoint]] = {}
        self._watches: dict[str, _Watch] = {}
        self._slots = asyncio.Semaphore(checks.concurrency)
        self._group: asyncio.TaskGroup | None = None
        self._due: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Probe until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for address, watch in self._watches.items():
                    self._start(address, watch)
                await asyncio.get_running_loop().create_future()
            finally:
                self._group = None
                if self._due is not None:
                    self._due.cancel()

    def publisher(self, source: str) -> Publish:
        """Where one source publishes."""

        def publish(endpoints: Iterable[Endpoint]) -> None:
            found = tuple(endpoints)
            if self._sources.get(source) != found:
                self._sources[source] = found
                self._reconcile()

        return publish

    def failed(self, address: str) -> None:
        """A request could not connect to it: a probe follows at once, and if nobody listens it is out."""
        self._wake(address)

    def suspect(self, pool: str) -> None:
        """A request needed more than one try at this pool, and nobody knows which replica failed."""
        for endpoint in self._roster.of(pool):
            if endpoint.health is Health.READY:
                self._wake(endpoint.address)

    def answered(self, address: str) -> None:
        """A request was answered."""
        watch = self._watches.get(address)
        if watch is None or (watch.standing.health is Health.READY and not watch.standing.failures):
            return
        if watch.standing.health is Health.READY:
            watch.standing = watch.standing.answered()
        else:
            watch.wake.set()

    @property
    def unclaimed(self) -> int:
        """Replicas found that serve no model of the document, as far as they told."""
        return sum(1 for found in self._sightings.values() for one in found if not self._pools(one))

    def _wake(self, address: str) -> None:
        watch = self._watches.get(address)
        if watch is not None:
            watch.wake.set()

    def _reconcile(self) -> None:
        """Probe what is new, forget what is gone."""
        sightings: dict[str, dict[str, Endpoint]] = {}
        for found in self._sources.values():
            for one in found:
                pools = sightings.setdefault(one.address, {})
                known = pools.get(one.pool)
                if known is None or _WORSE.get(one.health, 0) > _WORSE.get(known.health, 0):
                    pools[one.pool] = one
        self._sightings = {address: [*pools.values()] for address, pools in sightings.items()}
        wanted = {address for address, found in self._sightings.items() if not all(map(self._trusts, found))}
        for address in self._watches.keys() - wanted:
            task = self._watches.pop(address).task
            if task is not None:
                task.cancel()
        for address in wanted - self._watches.keys():
            watch = self._watches[address] = _Watch()
            self._start(address, watch)
        self._emit_soon()

    def _trusts(self, one: Endpoint) -> bool:
        """Whether nothing has to be asked: its model is known, and the document takes discovery's word."""
        if one.pool:
            return one.pool in self._trusted
        pools = self._pools(one)
        return bool(one.models) and bool(pools) and self._trusted.issuperset(pools)

    def _start(self, address: str, watch: _Watch) -> None:
        if self._group is not None and watch.task is None:
            watch.task = self._group.create_task(self._keep(address, watch))

    async def _keep(self, address: str, watch: _Watch) -> None:
        """Probe one address again and again. The slots spread the first probes of many."""
        checks = self._checks
        while True:
            async with self._slots:
                watch.wake.clear()
                probed = await self._probe(address, watch)
            self._on_probe(probed.answer)
            self._apply(watch, probed)
            well = probed.answer in {Answer.WELL, Answer.ASLEEP}
            wait_s = checks.interval if well else min(checks.retry_interval, checks.interval)
            await asyncio.sleep(min(_QUICKEST_S, wait_s))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, around(wait_s) - _QUICKEST_S)):
                    await watch.wake.wait()

    async def _probe(self, address: str, watch: _Watch) -> Probed:
        try:
            return await self._prober.probe(self._question(address, watch))
        except Exception as error:  # noqa: BLE001  # one replica's oddity must not end the probes of all
            return Probed(Answer.UNWELL, detail=repr(error))

    def _apply(self, watch: _Watch, probed: Probed) -> None:
        standing = watch.standing.after(probed, self._checks.failures)
        if probed.models is not None:
            watch.named_at = time.monotonic()
        if standing.health is Health.DOWN:
            watch.named_at = -1e9  # another engine may come up there
        changed = (standing.health, standing.models) != (watch.standing.health, watch.standing.models)
        watch.standing = standing
        if changed:
            self._emit_soon()

    def _question(self, address: str, watch: _Watch) -> Question:
        found = self._sightings.get(address) or [Endpoint(address, "")]
        told = all(one.models for one in found)
        due = time.monotonic() - watch.named_at >= self._checks.models_interval
        pools = [pool for one in found for pool in self._pools(one)]
        headers = next((self._served[pool].headers for pool in pools if pool in self._served), self._headers)
        return Question(
            found[0].base_url,
            headers or self._headers,
            models=due and not told,
            sleep=watch.standing.can_sleep is not False,
        )

    def _emit_soon(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_COALESCE_S, self._emit)

    def _emit(self) -> None:
        self._due = None
        self._roster.replace(self._endpoints())

    def _endpoints(self) -> Iterator[Endpoint]:
        for address, found in self._sightings.items():
            watch = self._watches.get(address)
            seen = set[str]()
            for one in sorted(found, key=lambda each: not each.pool):
                for pool in self._pools(one):
                    if pool not in seen:
                        seen.add(pool)
                        yield self._endpoint(one, pool, watch)

    def _endpoint(self, one: Endpoint, pool: str, watch: _Watch | None) -> Endpoint:
        models = one.models or (watch.standing.models if watch is not None else frozenset())
        health = one.health
        if health not in {Health.DRAINING, Health.DOWN}:
            health = Health.READY if watch is None or pool in self._trusted else watch.standing.health
        return msgspec.structs.replace(one, pool=pool, models=models, health=health)

    def _pools(self, one: Endpoint) -> tuple[str, ...]:
        """The pool it was found for, or those whose model it serves."""
        if one.pool:
            return (one.pool,)
        watch = self._watches.get(one.address)
        models = one.models or (watch.standing.models if watch is not None else frozenset())
        return tuple(pool for pool, served in self._served.items() if served.names & models)
