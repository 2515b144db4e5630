import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointsman.core.signal import Signal, SignalKey
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Reply
from pointsman.observe import Entry, Labels, Metrics, Outcome
from pointsman.observe.catalogue import CATALOGUE
from pointsman.observe.instruments import Instruments, Kind, Spec
from pointsman.observe.summary import Summary

from .rulings import CREDENTIAL, MATH, PROMPT, early_answer, refusal, ruling


def read(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels, as a scraper would parse it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, /, **labels: str) -> float:
    """One sample's value; 0 when the series does not exist."""
    return read(metrics).get((name, frozenset(labels.items())), 0.0)


def entry(given: Ruling, **outcome: object) -> Entry:
    """A finished request."""
    fields = {"status": 200, "duration_ms": 1500.0, "ttfb_ms": 80.0, **outcome}
    return Entry(Summary.of(given), Outcome("r-1", **fields))  # type: ignore[arg-type]  # fields by name


def test_a_ruling_counts_signals_decision_model_and_time() -> None:
    """Everything a dashboard shows of one routed request is counted once."""
    metrics = Metrics()
    metrics.record_ruling(ruling())
    signal = {"signal_type": "domain", "signal_name": "math"}
    assert value(metrics, "llm_signal_extraction_total", **signal) == 1
    assert value(metrics, "llm_signal_match_total", **signal) == 1
    assert value(metrics, "llm_signal_extraction_latency_seconds_sum", signal_type="domain") == 0.002
    assert value(metrics, "llm_decision_evaluation_total") == 1
    assert value(metrics, "llm_decision_match_total", decision_name="math_route") == 1
    assert value(metrics, "llm_decision_confidence_sum", decision_name="math_route") == 0.9
    assert value(metrics, "llm_model_requests_total", model="math-expert") == 1
    assert value(metrics, "llm_model_routing_latency_seconds_sum") == pytest.approx(0.0021)
    assert value(metrics, "pointsman_phase_seconds_sum", phase="decide") == pytest.approx(5e-6)
    changed = {"source_model": "MoM", "target_model": "math-expert"}
    assert value(metrics, "llm_model_routing_modifications_total", **changed) == 1
    reasoning = {"category": "math", "model": "math-expert", "enabled": "true", "effort": "high"}
    assert value(metrics, "llm_reasoning_decisions_total", **reasoning) == 1


def test_signals_of_a_family_share_one_latency_observation() -> None:
    """A family's time is the sum over its signals, observed once a request."""
    metrics = Metrics()
    physics = SignalKey("domain", "physics")
    signals = (Signal(MATH, matched=True, cost_us=1000), Signal(physics, matched=False, cost_us=2000))
    metrics.record_ruling(ruling(signals=signals))
    assert value(metrics, "llm_signal_extraction_latency_seconds_count", signal_type="domain") == 1
    assert value(metrics, "llm_signal_extraction_latency_seconds_sum", signal_type="domain") == 0.003


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("deadline 4000 ms exceeded", "timeout"),
        ("EncoderBusy", "overloaded"),
        ("not computed", "not_computed"),
        (f"cannot reach https://x/?q={PROMPT}", "failed"),
    ],
)
def test_a_failed_signal_is_counted_by_the_class_of_its_error(error: str, reason: str) -> None:
    """An error's text never becomes a label; its class does."""
    metrics = Metrics()
    metrics.record_ruling(ruling(signals=(Signal(MATH, matched=False, error=error),)))
    labels = {"family": "domain", "name": "math", "reason": reason}
    assert value(metrics, "pointsman_signal_errors_total", **labels) == 1
    assert value(metrics, "llm_signal_match_total", signal_type="domain", signal_name="math") == 0


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (refusal(), "model_not_found"),
        (refusal(status=429), "overloaded"),
        (refusal(status=503), "unavailable"),
        (refusal(status=500), "internal_error"),
        (Ruling(Reply(400, {}, b""), Trace(error="malformed JSON body")), "parse_error"),
    ],
)
def test_a_refusal_is_counted_by_reason(given: Ruling, reason: str) -> None:
    """Our own errors are counted in the semantic router's metric, under no name of the client's."""
    metrics = Metrics()
    metrics.record_ruling(given)
    assert value(metrics, "llm_request_errors_total", model="unknown", reason=reason) == 1


def test_plugins_of_a_forwarded_request_all_ran() -> None:
    """A forwarded request has passed every plugin of its decision."""
    metrics = Metrics()
    metrics.record_ruling(ruling(plugins=("system_prompt", "header_mutation")))
    for kind in ("system_prompt", "header_mutation"):
        labels = {"plugin_type": kind, "decision_name": "math_route", "status": "success"}
        assert value(metrics, "llm_plugin_execution_total", **labels) == 1


def test_an_early_answer_counts_only_the_plugin_that_gave_it() -> None:
    """What comes after an early answer does not run and is not counted; the answer is no error."""
    metrics = Metrics()
    metrics.record_ruling(early_answer("fast_response"))
    text = metrics.render().decode()
    assert 'plugin_type="fast_response"' in text
    assert "system_prompt" not in text
    assert "llm_request_errors_total{" not in text


def test_a_finished_stream_counts_status_duration_and_first_byte() -> None:
    """Time to first token is observed for streams, in seconds."""
    metrics = Metrics()
    metrics.record_outcome(entry(ruling(stream=True)))
    labels = {"decision": "math_route", "model": "math-expert", "status": "200"}
    assert value(metrics, "pointsman_requests_total", **labels) == 1
    assert value(metrics, "llm_model_completion_latency_seconds_sum", model="math-expert") == 1.5
    assert value(metrics, "llm_model_ttft_seconds_sum", model="math-expert") == 0.08


def test_the_first_byte_of_a_whole_answer_is_not_a_first_token() -> None:
    """Without a stream the first byte is as late as the last, so it says nothing about the first token."""
    metrics = Metrics()
    metrics.record_outcome(entry(ruling(stream=False)))
    assert value(metrics, "llm_model_ttft_seconds_count", model="math-expert") == 0


@pytest.mark.parametrize(
    ("status", "flags", "reason"),
    [
        (0, "", "cancellation"),
        (404, "", "upstream_4xx"),
        (502, "", "upstream_5xx"),
        (504, "", "timeout"),
        (200, "upstream_remote_reset", "broken_off"),
        (200, "downstream_connection_termination", "cancellation"),
        (200, "local_reset,downstream_remote_reset", "cancellation"),
    ],
)
def test_a_failed_answer_is_counted_and_has_no_latency(status: int, flags: str, reason: str) -> None:
    """A failure, after a 200 too, is an error of the model and does not make the model look fast."""
    metrics = Metrics()
    metrics.record_outcome(entry(ruling(), status=status, flags=flags))
    assert value(metrics, "llm_request_errors_total", model="math-expert", reason=reason) == 1
    assert value(metrics, "llm_model_completion_latency_seconds_count", model="math-expert") == 0


def test_a_request_refused_for_want_of_a_decision_is_counted() -> None:
    """What Envoy refused while the router was down is an error with its own reason."""
    metrics = Metrics()
    metrics.record_outcome(Entry(None, Outcome("r-1", status=503, undecided=True), "no_ruling"))
    assert value(metrics, "llm_request_errors_total", model="unknown", reason="undecided") == 1


def test_our_own_refusal_is_not_an_upstream_error() -> None:
    """A refusal that the access log reports too is counted once, when it was ruled."""
    metrics = Metrics()
    metrics.record_outcome(entry(refusal(), status=400))
    assert "llm_request_errors_total{" not in metrics.render().decode()


def test_a_request_without_a_ruling_has_no_model_of_the_clients() -> None:
    """What the data plane alone knows is counted, but a name that it may have from the client is not used."""
    metrics = Metrics()
    metrics.record_outcome(Entry(None, Outcome("r-1", status=503, model="evil"), "no_ruling"))
    assert value(metrics, "pointsman_requests_total", decision="none", model="none", status="503") == 1
    assert value(metrics, "pointsman_journal_incomplete_total", reason="no_ruling") == 1
    assert "evil" not in metrics.render().decode()


def test_a_thousand_invented_models_make_one_series() -> None:
    """A client that varies the model name adds no series (a cardinality attack)."""
    metrics = Metrics()
    for n in range(1000):
        given = refusal(model=f"random-{n}")
        metrics.record_ruling(given)
        metrics.record_outcome(entry(given, status=400))
        metrics.record_ruling(ruling(model=f"alias-{n}", virtual=False))
    series = {labels for name, labels in read(metrics) if name == "llm_model_routing_modifications_total"}
    assert series == {frozenset({("source_model", "unknown"), ("target_model", "math-expert")})}
    assert "random-" not in metrics.render().decode()


def test_the_label_limit_bounds_series() -> None:
    """A configuration that keeps bringing new names fills the limit and goes on as `other`."""
    metrics = Metrics(Labels(limit=10))
    for n in range(100):
        key = SignalKey("keyword", f"rule-{n}")
        metrics.record_ruling(ruling(signals=(Signal(key, matched=True),)))
    matched = [
        (labels, count) for (name, labels), count in read(metrics).items() if name == "llm_signal_match_total"
    ]
    assert len(matched) == 11
    assert sum(count for _, count in matched) == 100


def test_series_are_bounded_where_labels_multiply() -> None:
    """A metric with all its combinations used counts the rest with every label `other`."""
    spec = Spec(Kind.COUNTER, "x_total", "x", ("a", "b"))
    instruments = Instruments((spec,), labels=Labels(), series_limit=4)
    for n in range(10):
        instruments.counter(spec, f"a{n}", f"b{n}").inc()
    text = instruments.render().decode()
    assert 'x_total{a="other",b="other"} 6.0' in text
    assert text.count("x_total{") == 5


def test_no_secret_and_no_prompt_reaches_the_metrics() -> None:
    """Neither a provider's credential nor a client's text is in any name, label or help."""
    metrics = Metrics()
    for given in (ruling(), refusal(model=PROMPT), early_answer("fast_response")):
        metrics.record_ruling(given)
        metrics.record_outcome(entry(given))
    assert CREDENTIAL not in metrics.render().decode()
    assert "CANARY" not in metrics.render().decode()


def test_process_events_are_counted() -> None:
    """Streams, errors and restarts each have their counter."""
    metrics = Metrics()
    metrics.record_stream("forwarded")
    metrics.record_extproc_error("deadline")
    metrics.record_envoy_restart()
    assert value(metrics, "pointsman_extproc_streams_total", outcome="forwarded") == 1
    assert value(metrics, "pointsman_extproc_errors_total", kind="deadline") == 1
    assert value(metrics, "pointsman_envoy_restarts_total") == 1


def test_the_inflight_gauge_is_read_when_asked() -> None:
    """The gauge shows what the server says at the moment of the scrape."""
    metrics, deciding = Metrics(), [1]
    metrics.watch_inflight(lambda: deciding[-1])
    assert value(metrics, "pointsman_inflight_decisions") == 1
    deciding.append(0)
    assert value(metrics, "pointsman_inflight_decisions") == 0


def test_every_declared_metric_is_exposed_and_nothing_else() -> None:
    """The text is what the catalogue says, without the client library's `_created` series."""
    families = {family.name: family for family in text_string_to_metric_families(Metrics().render().decode())}
    assert set(families) == {spec.name.removesuffix("_total") for spec in CATALOGUE}
    assert b"_created" not in Metrics().render()


def test_two_metrics_are_independent() -> None:
    """There is no global registry: two instances in one process do not see each other."""
    first, second = Metrics(), Metrics()
    first.record_envoy_restart()
    assert value(second, "pointsman_envoy_restarts_total") == 0


def test_build_info_names_the_version() -> None:
    """The build's version is readable from the metrics."""
    assert b'pointsman_build_info{python="' in Metrics().render()


def test_a_refusal_without_a_request_is_counted() -> None:
    """What a transport refuses before reading a body counts like any other refusal."""
    metrics = Metrics()
    metrics.record_ruling(Ruling(Reply(503, {}, b""), Trace(error="overloaded")))
    assert value(metrics, "llm_request_errors_total", model="unknown", reason="unavailable") == 1


def test_choices_and_fallbacks_are_counted() -> None:
    """By algorithm, decision and, for a fallback, one of three reasons; a single candidate is no choice."""
    metrics, given = Metrics(), ruling()
    metrics.record_ruling(given)
    assert not any(name.startswith("llm_model_selection") for name, _ in read(metrics))
    selection, match = given.trace.selection, given.trace.match
    assert selection is not None
    assert match is not None
    assert match.decision is not None
    decision = msgspec.structs.replace(match.decision, candidates=(selection.candidate,) * 2)
    for reason in ("failed: TimeoutError", "failed: ValueError", "no recent times"):
        trace = msgspec.structs.replace(
            given.trace,
            match=msgspec.structs.replace(match, decision=decision),
            selection=msgspec.structs.replace(selection, reason=reason, fallback=True),
        )
        metrics.record_ruling(Ruling(given.verdict, trace))
    labels = {"method": "static", "decision": "math_route"}
    assert value(metrics, "llm_model_selection_total", **labels, model="math-expert") == 3
    for reason in ("timeout", "failed", "no_data"):
        assert value(metrics, "llm_model_selection_fallback_total", **labels, reason=reason) == 1


def test_pools_that_are_not_told_again_are_well() -> None:
    """A pool with nothing in flight and no failures falls silent; its gauges return to zero."""
    metrics = Metrics()
    metrics.record_pools({"llama": (3, True)})
    assert value(metrics, "pointsman_pool_in_flight", pool="llama") == 3
    assert value(metrics, "pointsman_pool_down", pool="llama") == 1
    metrics.record_pools({})
    assert value(metrics, "pointsman_pool_in_flight", pool="llama") == 0
    assert value(metrics, "pointsman_pool_down", pool="llama") == 0
