"""What operators hear of the search for replicas."""

import asyncio

from structlog.testing import capture_logs

from pointsman.cli.fleet_news import FleetNews
from pointsman.config.replicas import HealthChecks
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.discovery.source import Change, Event
from pointsman.fleet.health.monitor import Monitor, Served
from pointsman.fleet.health.probe import HttpProber
from pointsman.fleet.health.standing import Answer
from pointsman.fleet.lookout import Lookout
from pointsman.fleet.roster import Roster
from pointsman.observe.metrics import Metrics


def test_trouble_is_logged_when_it_begins_and_ends_and_counted_always() -> None:
    """A source that fails a hundred times is two lines in the log and a hundred in the metrics."""
    metrics = Metrics()
    with capture_logs() as lines:
        news = FleetNews(metrics).news
        for _ in range(100):
            news.discovery(Event("kubernetes[0]", Change.FAILED, "refused"))
        news.discovery(Event("kubernetes[0]", Change.EXPIRED))
        news.discovery(Event("kubernetes[0]", Change.SYNCED))
        news.discovery(Event("kubernetes[0]", Change.ADDED))
        news.probe(Answer.UNREACHABLE)
    assert [line["trouble"] for line in lines] == ["failed", ""]
    text = metrics.render().decode()
    assert 'pointsman_discovery_errors_total{reason="failed",source="kubernetes[0]"} 100.0' in text
    assert 'pointsman_discovery_errors_total{reason="expired",source="kubernetes[0]"} 1.0' in text
    assert 'pointsman_discovery_events_total{change="added",source="kubernetes[0]"} 1.0' in text
    assert 'pointsman_probes_total{answer="unreachable"} 1.0' in text


def test_each_turn_of_a_replica_is_one_line() -> None:
    """Coming, failing, recovering and going are told once each, failing as a warning."""
    roster = Roster()
    with capture_logs() as lines:
        news = FleetNews(Metrics())
        roster.listen(news.changed)
        for health in (Health.READY, Health.DOWN, Health.READY):
            roster.replace([Endpoint("10.0.0.1:80", "m", health=health)])
            roster.replace([Endpoint("10.0.0.1:80", "m", health=health)])
        roster.replace([])
    assert [(line["log_level"], line.get("health")) for line in lines] == [
        ("info", "ready"),
        ("warning", "down"),
        ("info", "ready"),
        ("info", None),
    ]


def test_replicas_are_counted_by_pool_and_health() -> None:
    """Counts follow the roster down to zero; strangers count as none's; a source's age grows until it is right."""
    metrics, now = Metrics(), [100.0]
    news = FleetNews(metrics, clock=lambda: now[0])

    async def run() -> list[str]:
        roster, prober = Roster(), HttpProber(1.0)
        monitor = Monitor(roster, HealthChecks(), {"m": Served(frozenset({"m"}))}, prober)
        lookout = Lookout(roster, (), monitor, prober, frozenset(), news.news.discovery)
        monitor.publisher("k")([Endpoint("10.0.0.9:1", "", models=frozenset({"other"}))])
        roster.replace([Endpoint("10.0.0.1:1", "m"), Endpoint("10.0.0.2:1", "m", health=Health.DOWN)])
        news.news.discovery(Event("k", Change.SYNCED))
        now[0] += 7
        news.news.discovery(Event("k", Change.FAILED))
        news.tick(lookout)
        first = metrics.render().decode()
        roster.replace([])
        news.tick(lookout)
        return [first, metrics.render().decode()]

    first, second = asyncio.run(run())
    assert 'pointsman_endpoints{health="unknown",pool="m"} 1.0' in first
    assert 'pointsman_endpoints{health="down",pool="m"} 1.0' in first
    assert 'pointsman_endpoints{health="unknown",pool="none"} 1.0' in first
    assert 'pointsman_discovery_last_success_age_seconds{source="k"} 7.0' in first
    assert 'pointsman_endpoints{health="down",pool="m"} 0.0' in second
