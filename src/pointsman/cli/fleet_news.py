"""What is told about the search for replicas: counted always, logged when something turns."""

import time
from collections import Counter
from collections.abc import Callable

import structlog

from pointsman.core.endpoint import Health
from pointsman.fleet.discovery.source import TROUBLE, Change, Event
from pointsman.fleet.health.standing import Answer
from pointsman.fleet.lookout import Lookout, News
from pointsman.fleet.roster import Roster
from pointsman.observe.metrics import Metrics


class FleetNews:
    """Metrics and log lines of discovery and health."""

    def __init__(self, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._clock = clock
        self._log = structlog.get_logger()
        self._heard: dict[str, float] = {}
        self._trouble: dict[str, str] = {}
        self._known: dict[tuple[str, str], Health] = {}

    @property
    def news(self) -> News:
        """The receiving end."""
        return News(self._discovery, self._probe)

    def tick(self, lookout: Lookout) -> None:
        """Report what only a look shows."""
        counts = Counter(
            (pool, str(one.health)) for pool, found in lookout.roster.pools.items() for one in found
        )
        if lookout.monitor.unclaimed:
            counts["", str(Health.UNKNOWN)] = lookout.monitor.unclaimed
        self._metrics.record_endpoints(counts)
        now = self._clock()
        for source, heard in self._heard.items():
            self._metrics.record_discovery_age(source, 0.0 if source == "static" else now - heard)

    def changed(self, roster: Roster) -> None:
        """Log who came, went, and changed for the better or worse."""
        now = {(pool, one.address): one.health for pool, found in roster.pools.items() for one in found}
        for (pool, address), health in now.items():
            before = self._known.get((pool, address))
            if before is not health:
                well = health in {Health.READY, Health.UNKNOWN}
                log = self._log.info if well or before is None else self._log.warning
                log("endpoint", pool=pool, endpoint=address, health=str(health), before=str(before or ""))
        for pool, address in self._known.keys() - now.keys():
            self._log.info("endpoint gone", pool=pool, endpoint=address)
        self._known = now

    def _discovery(self, event: Event) -> None:
        source, trouble = event.source, event.change in TROUBLE
        self._metrics.record_discovery(source, str(event.change), trouble=trouble)
        if not trouble:
            self._heard[source] = self._clock()
        if event.change is Change.EXPIRED:
            return  # what a busy API server does; the list that follows is counted
        if trouble and self._trouble.get(source) != event.change:
            self._trouble[source] = str(event.change)
            self._log.warning("discovery", source=source, trouble=str(event.change), detail=event.detail)
        elif event.change is Change.SYNCED and self._trouble.pop(source, ""):
            self._log.info("discovery", source=source, trouble="", detail="works again")

    def _probe(self, answer: Answer) -> None:
        self._metrics.record_probe(str(answer))
