"""Counting what happens: rulings, outcomes, and the health of the process around them."""

import platform
from collections.abc import Callable, Mapping

from prometheus_client import Counter

from pointsman import __version__
from pointsman.cache.news import Kind as CacheEvent
from pointsman.cache.news import News as CacheNews
from pointsman.core import headers as names
from pointsman.core.guard import GuardOutcome
from pointsman.core.placement import Placement
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward
from pointsman.observe import catalogue
from pointsman.observe.instruments import Instruments
from pointsman.observe.journal import Entry
from pointsman.observe.labels import Labels
from pointsman.observe.reasons import fallback_reason, outcome_reason, refusal_reason, signal_error_reason
from pointsman.observe.summary import decision_name, decision_us

UNKNOWN_MODEL = "unknown"
"""What a model name a client made up is counted as."""

_SIGNALS_REMEMBERED = 1000
_CACHE = "response_cache"
_ANSWERED_BY = {"cache": _CACHE}
"""What answers are said to come from, where that is not the plugin's own name."""


class Metrics:
    """All metrics of the process, in a registry of their own; lives as long as the process.

    Only names that the configuration knows become label values, and every one passes `labels`.
    """

    def __init__(self, labels: Labels | None = None) -> None:
        self._instruments = Instruments(catalogue.CATALOGUE, labels=labels or Labels())
        self._pools: Mapping[str, tuple[int, bool]] = {}
        self._in_flight: Mapping[str, int] = {}
        self._endpoints: Mapping[tuple[str, str], int] = {}
        self._signal_series: dict[SignalKey, tuple[Counter, Counter]] = {}
        self._instruments.gauge(catalogue.BUILD_INFO, __version__, platform.python_version()).set(1)

    def render(self) -> bytes:
        """All metrics in the Prometheus text format 0.0.4."""
        return self._instruments.render()

    def record_ruling(self, ruling: Ruling) -> None:
        """Count one ruling: its signals, decision, model and time."""
        trace = ruling.trace
        self._count_phases(trace)
        self._count_signals(trace.signals)
        for outcome in trace.guards:
            self.record_guard(outcome)
        self._count_decision(trace)
        self._count_plugins(ruling)
        self._count_selection(trace)
        if isinstance(ruling.verdict, Forward):
            self._count_model(trace)
        elif reason := refusal_reason(trace, ruling.verdict.status):
            model = trace.selection.candidate.target.name if trace.selection else UNKNOWN_MODEL
            self._instruments.counter(catalogue.REQUEST_ERRORS, model, reason).inc()

    def record_outcome(self, entry: Entry) -> None:
        """Count one request that has ended, as the journal hands it on."""
        summary, outcome, status = entry.summary, entry.outcome, entry.status
        decision, model = (summary.decision, summary.model) if summary else ("", "")
        self._instruments.counter(catalogue.REQUESTS, decision, model, str(status)).inc()
        if entry.incomplete:
            self._instruments.counter(catalogue.JOURNAL_INCOMPLETE, entry.incomplete).inc()
        if outcome is None or (summary is not None and summary.reply_status):
            return
        if reason := outcome_reason(outcome):
            self._instruments.counter(catalogue.REQUEST_ERRORS, model or UNKNOWN_MODEL, reason).inc()
            return
        if summary is None:
            return
        if outcome.duration_ms is not None:
            seconds = outcome.duration_ms / 1e3
            self._instruments.histogram(catalogue.COMPLETION_LATENCY, model).observe(seconds)
        if summary.stream and outcome.ttfb_ms is not None:
            self._instruments.histogram(catalogue.TTFT, model).observe(outcome.ttfb_ms / 1e3)

    def watch_inflight(self, read: Callable[[], int]) -> None:
        """Report how many requests are being decided, read when somebody asks."""
        self._instruments.gauge(catalogue.INFLIGHT_DECISIONS).set_function(read)

    def watch_answers(self, read: Callable[[], int]) -> None:
        """Report how many answers are being filtered, read when somebody asks."""
        self._instruments.gauge(catalogue.INFLIGHT_ANSWERS).set_function(read)

    def record_answer(self, outcome: str) -> None:
        """Count one answer that a plugin had to read."""
        self._instruments.counter(catalogue.FILTERED_ANSWERS, outcome).inc()

    def record_pools(self, pools: Mapping[str, tuple[int, bool]]) -> None:
        """Report what is in flight at each pool, and whether it is down; pools that are not told are well."""
        for name in {**self._pools, **pools}:
            in_flight, down = pools.get(name, (0, False))
            self._instruments.gauge(catalogue.POOL_IN_FLIGHT, name).set(in_flight)
            self._instruments.gauge(catalogue.POOL_DOWN, name).set(down)
        self._pools = pools

    def record_placement(self, pool: str, placement: Placement) -> None:
        """Count one placed request and what its endpoint is expected to have cached."""
        self._instruments.counter(catalogue.PLACEMENTS, pool, placement.policy).inc()
        cached = min(placement.cached, placement.tokens)
        for tokens, known in ((cached, "true"), (placement.tokens - cached, "false")):
            self._instruments.counter(catalogue.PLACED_TOKENS, pool, known).inc(tokens)

    def record_placement_failures(self, count: int) -> None:
        """Count choices that failed."""
        self._instruments.counter(catalogue.PLACEMENT_FAILURES).inc(count)

    def record_placing(self, in_flight: Mapping[str, int], *, index_bytes: int) -> None:
        """Report what is in flight at each endpoint; those that are not told have nothing."""
        for address in {**self._in_flight, **in_flight}:
            self._instruments.gauge(catalogue.ENDPOINT_IN_FLIGHT, address).set(in_flight.get(address, 0))
        self._in_flight = in_flight
        self._instruments.gauge(catalogue.PLACEMENT_INDEX_BYTES).set(index_bytes)

    def record_load_look(self, outcome: str) -> None:
        """Count one read of an endpoint's metrics page."""
        self._instruments.counter(catalogue.LOAD_LOOKS, outcome).inc()

    def record_kv_events(self, counts: Mapping[str, int]) -> None:
        """Count what was met while engines told of their caches."""
        for kind, count in counts.items():
            self._instruments.counter(catalogue.KV_EVENTS, kind).inc(count)

    def record_endpoints(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Report how many replicas there are, by pool and health; those that are not told are none."""
        for labels in {**self._endpoints, **counts}:
            self._instruments.gauge(catalogue.ENDPOINTS, *labels).set(counts.get(labels, 0))
        self._endpoints = counts

    def record_discovery(self, source: str, change: str, *, trouble: bool) -> None:
        """Count one thing that happened where replicas are found."""
        spec = catalogue.DISCOVERY_ERRORS if trouble else catalogue.DISCOVERY_EVENTS
        self._instruments.counter(spec, source, change).inc()

    def record_discovery_age(self, source: str, seconds: float) -> None:
        """Report how long ago a source was last right."""
        self._instruments.gauge(catalogue.DISCOVERY_AGE, source).set(seconds)

    def record_probe(self, answer: str) -> None:
        """Count one probe of a replica."""
        self._instruments.counter(catalogue.PROBES, answer).inc()

    def record_guard(self, outcome: GuardOutcome) -> None:
        """Count one check of a guard."""
        self._instruments.counter(catalogue.GUARDS, outcome.guard, outcome.action, outcome.outcome).inc()

    def record_cache(self, news: CacheNews) -> None:
        """Count one thing a cache of answers did."""
        self._instruments.counter(catalogue.CACHE_EVENTS, news.kind, news.detail).inc(news.count)
        if news.kind is CacheEvent.HIT:
            self._instruments.counter(catalogue.CACHE_HITS, news.decision, _CACHE).inc()
        elif news.kind is CacheEvent.MISS:
            self._instruments.counter(catalogue.CACHE_MISSES, news.decision, _CACHE).inc()

    def record_cache_size(self, backend: str, entries: int, size: int) -> None:
        """Report how many answers are kept, and about how many bytes they take."""
        self._instruments.gauge(catalogue.CACHE_ENTRIES, backend).set(entries)
        self._instruments.gauge(catalogue.CACHE_BYTES, backend).set(size)

    def record_stream(self, outcome: str) -> None:
        """Count one ext_proc stream that ended."""
        self._instruments.counter(catalogue.EXTPROC_STREAMS, outcome).inc()

    def record_extproc_error(self, kind: str) -> None:
        """Count one error met while talking ext_proc."""
        self._instruments.counter(catalogue.EXTPROC_ERRORS, kind).inc()

    def record_envoy_restart(self) -> None:
        """Count one restart of our own Envoy."""
        self._instruments.counter(catalogue.ENVOY_RESTARTS).inc()

    def _count_phases(self, trace: Trace) -> None:
        total = decision_us(trace)
        self._instruments.histogram(catalogue.ROUTING_LATENCY).observe(total / 1e6)
        for phase, spent in trace.phases_us.items():
            self._instruments.histogram(catalogue.PHASES, phase).observe(spent / 1e6)

    def _count_signals(self, signals: SignalSet) -> None:
        spent: dict[str, float] = {}
        for signal in signals:
            family = signal.key.family
            spent[family] = spent.get(family, 0.0) + signal.cost_us
            extractions, matches = self._series_of(signal)
            extractions.inc()
            if signal.matched:
                matches.inc()
            if signal.error:
                reason = signal_error_reason(signal.error)
                self._instruments.counter(catalogue.SIGNAL_ERRORS, family, signal.key.name, reason).inc()
        for family, cost_us in spent.items():
            self._instruments.histogram(catalogue.SIGNAL_LATENCY, family).observe(cost_us / 1e6)

    def _series_of(self, signal: Signal) -> tuple[Counter, Counter]:
        # Signals are the most frequent thing counted: one lookup here instead of two guarded ones.
        key = signal.key
        series = self._signal_series.get(key)
        if series is None:
            if len(self._signal_series) >= _SIGNALS_REMEMBERED:
                self._signal_series.clear()
            series = self._signal_series[key] = (
                self._instruments.counter(catalogue.SIGNAL_EXTRACTIONS, key.family, key.name),
                self._instruments.counter(catalogue.SIGNAL_MATCHES, key.family, key.name),
            )
        return series

    def _count_decision(self, trace: Trace) -> None:
        if trace.match is None:
            return
        self._instruments.counter(catalogue.DECISION_EVALUATIONS).inc()
        if name := decision_name(trace):
            self._instruments.counter(catalogue.DECISION_MATCHES, name).inc()
            self._instruments.histogram(catalogue.DECISION_CONFIDENCE, name).observe(trace.match.confidence)

    def _count_plugins(self, ruling: Ruling) -> None:
        match = ruling.trace.match
        if match is None or match.decision is None:
            return
        # A forwarded request passed every plugin; an early answer names the one that gave it.
        verdict = ruling.verdict
        answered_by = "" if isinstance(verdict, Forward) else verdict.headers.get(names.RESPONSE_PATH, "")
        answered_by = _ANSWERED_BY.get(answered_by, answered_by)
        for plugin in match.decision.plugins:
            kind = getattr(plugin, "type", "")
            if isinstance(verdict, Forward) or kind == answered_by:
                self._instruments.counter(
                    catalogue.PLUGIN_EXECUTIONS, kind, match.decision.name, "success"
                ).inc()

    def _count_selection(self, trace: Trace) -> None:
        selection, decision = trace.selection, trace.match.decision if trace.match else None
        if selection is None or decision is None or len(decision.candidates) <= 1:
            return
        method, model = selection.algorithm, selection.candidate.target.name
        self._instruments.counter(catalogue.SELECTIONS, method, model, decision.name).inc()
        if selection.fallback:
            reason = fallback_reason(selection.reason)
            self._instruments.counter(catalogue.SELECTION_FALLBACKS, method, decision.name, reason).inc()

    def _count_model(self, trace: Trace) -> None:
        if trace.selection is None:
            return
        candidate = trace.selection.candidate
        target = candidate.target.name
        self._instruments.counter(catalogue.MODEL_REQUESTS, target).inc()
        requested = trace.request.model if trace.request else ""
        if requested != target:
            # A virtual name is one of ours; any other name that differs may be anything.
            source = requested if trace.virtual else UNKNOWN_MODEL
            self._instruments.counter(catalogue.ROUTING_MODIFICATIONS, source, target).inc()
        if trace.match is not None and trace.match.decision is not None:
            enabled, effort = ("true", candidate.effort) if candidate.use_reasoning else ("false", "")
            self._instruments.counter(
                catalogue.REASONING_DECISIONS, strongest_domain(trace.signals), target, enabled, effort
            ).inc()


def strongest_domain(signals: SignalSet) -> str:
    """Name of the domain signal that matched with the highest confidence, or an empty string."""
    domains = [signal for signal in signals if signal.key.family == "domain" and signal.matched]
    return max(domains, key=lambda signal: signal.confidence).key.name if domains else ""
