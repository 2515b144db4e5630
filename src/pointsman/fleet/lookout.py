"""Discovery and health together: everything that keeps the roster true."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from pointsman.config import Settings
from pointsman.config.validate_replicas import left_to_us
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.discovery.backoff import Backoff
from pointsman.fleet.discovery.source import Change, Event, Publish, Report, Source, unreported
from pointsman.fleet.discovery.sources import sources_of
from pointsman.fleet.health.monitor import Monitor, OnProbe, Served
from pointsman.fleet.health.probe import HttpProber
from pointsman.fleet.roster import Roster
from pointsman.fleet.static import engine_headers


class News(msgspec.Struct, frozen=True):
    """Who is told what happens."""

    discovery: Report = unreported
    probe: OnProbe = lambda _: None


class Lookout:
    """Runs the sources and the monitor; one per process, for as long as it serves."""

    def __init__(
        self,
        roster: Roster,
        sources: Sequence[Source],
        monitor: Monitor,
        prober: HttpProber,
        managed: frozenset[str],
        report: Report,
    ) -> None:
        self.roster = roster
        self.sources = tuple(sources)
        self.monitor = monitor
        self.managed = managed
        """Pools whose endpoints the roster decides; those of the others the data plane resolves itself."""
        self._prober = prober
        self._report = report
        self._heard: set[str] = set()
        self._complete = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        async with self._prober, asyncio.TaskGroup() as group:
            group.create_task(self.monitor.run())
            for source in self.sources:
                group.create_task(self._keep(source))

    async def settled(self, patience_s: float) -> bool:
        """Wait until every source has said something, ``patience_s`` at most; whether they have."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._complete.wait()
        return self._complete.is_set()

    def usable(self, pool: str) -> bool:
        """Whether a pool may get requests; taken to be so where the data plane resolves, and at the start."""
        known = pool in self.managed and self._complete.is_set()
        return not known or bool(self.roster.usable(pool))

    def alive(self, pool: str) -> bool:
        """Whether a replica of a pool was seen to live."""
        if pool not in self.managed:
            return True
        return any(one.health is Health.READY for one in self.roster.of(pool))

    async def _keep(self, source: Source) -> None:
        """A defect in one source must not end the others, nor the gateway."""
        backoff, failures = Backoff(), 0
        publish = self._listening(source.name, self.monitor.publisher(source.name))
        while True:
            try:
                await source.run(publish)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is reported and tried again
                failures += 1
                self._report(Event(source.name, Change.FAILED, repr(error)))
            else:
                failures += 1
                self._report(Event(source.name, Change.FAILED, "it ended"))
            await asyncio.sleep(backoff.delay_s(failures))

    def _listening(self, name: str, publish: Publish) -> Publish:
        def heard(endpoints: Iterable[Endpoint]) -> None:
            publish(endpoints)
            self._heard.add(name)
            if len(self._heard) == len(self.sources):
                self._complete.set()

        return heard


def open_lookout(
    settings: Settings,
    catalog: Catalog,
    env: Mapping[str, str],
    roster: Roster,
    news: News,
) -> Lookout:
    """What the document asks for. ``StartError`` when it names a Kubernetes API that is not known."""
    checks = settings.fleet.health
    prober = HttpProber(checks.timeout)
    monitor = Monitor(
        roster,
        checks,
        {
            model.name: Served(_names(model.name, catalog), catalog.targets[model.name].headers)
            for model in settings.providers.models
            if model.name in catalog.targets
        },
        prober,
        headers=engine_headers(settings, env),
        on_probe=news.probe,
    )
    managed = frozenset(model.name for model in settings.providers.models if left_to_us(model))
    sources = sources_of(settings, env, news.discovery)
    return Lookout(roster, sources, monitor, prober, managed, news.discovery)


def _names(model: str, catalog: Catalog) -> frozenset[str]:
    """By what names engines know a provider model. Adapters do not count: they come and go."""
    return frozenset({catalog.targets[model].wire_name})
