"""Every metric there is. Names in `llm_` are the semantic router's, so that its dashboards keep working.

All times are seconds. `docs/metrics.md` is generated from this file.
"""

from pointsman.observe.instruments import Kind, Spec

FAST = (
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    1.0,
)
"""Bucket bounds for what happens before a request is forwarded: ten microseconds to one second."""
SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Bucket bounds for answers of models: ten milliseconds to five minutes."""
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Bucket bounds for confidences."""


def _counter(name: str, *labels: str, meaning: str) -> Spec:
    return Spec(Kind.COUNTER, name, meaning, labels)


def _gauge(name: str, *labels: str, meaning: str) -> Spec:
    return Spec(Kind.GAUGE, name, meaning, labels)


def _histogram(name: str, *labels: str, meaning: str, buckets: tuple[float, ...]) -> Spec:
    return Spec(Kind.HISTOGRAM, name, meaning, labels, buckets)


MODEL_REQUESTS = _counter(
    "llm_model_requests_total", "model", meaning="Requests forwarded to a model, counted when it was chosen."
)
REQUEST_ERRORS = _counter(
    "llm_request_errors_total",
    "model",
    "reason",
    meaning="Requests we refused or that ended in an error, by reason.",
)
ROUTING_LATENCY = _histogram(
    "llm_model_routing_latency_seconds",
    meaning="Time spent deciding one request, from its body to the verdict.",
    buckets=FAST,
)
ROUTING_MODIFICATIONS = _counter(
    "llm_model_routing_modifications_total",
    "source_model",
    "target_model",
    meaning="Requests whose model was changed, from the name the client used to the model chosen.",
)
COMPLETION_LATENCY = _histogram(
    "llm_model_completion_latency_seconds",
    "model",
    meaning="Time from the request to the end of a 2xx answer.",
    buckets=SLOW,
)
TTFT = _histogram(
    "llm_model_ttft_seconds",
    "model",
    meaning=(
        "Time from the request to the first byte of a 2xx stream. "
        "An engine that sends headers before its first token looks faster than it is."
    ),
    buckets=SLOW,
)
SIGNAL_EXTRACTIONS = _counter(
    "llm_signal_extraction_total",
    "signal_type",
    "signal_name",
    meaning="Signals computed, failed ones included.",
)
SIGNAL_LATENCY = _histogram(
    "llm_signal_extraction_latency_seconds",
    "signal_type",
    meaning="Time one request spent on all signals of a family.",
    buckets=FAST,
)
SIGNAL_MATCHES = _counter(
    "llm_signal_match_total", "signal_type", "signal_name", meaning="Signals that matched."
)
DECISION_EVALUATIONS = _counter(
    "llm_decision_evaluation_total", meaning="Requests for which decisions were evaluated."
)
DECISION_MATCHES = _counter(
    "llm_decision_match_total", "decision_name", meaning="Requests a decision won, by its name."
)
DECISION_CONFIDENCE = _histogram(
    "llm_decision_confidence",
    "decision_name",
    meaning="Confidence with which a decision won, 0 to 1.",
    buckets=SHARES,
)
SELECTIONS = _counter(
    "llm_model_selection_total",
    "method",
    "model",
    "decision",
    meaning="Choices among several candidates of a decision, by algorithm and the model chosen.",
)
SELECTION_FALLBACKS = _counter(
    "llm_model_selection_fallback_total",
    "method",
    "decision",
    "reason",
    meaning=(
        "Choices where the algorithm fell back to the first candidate: `no_data` (nothing to choose by), "
        "`timeout` or `failed`."
    ),
)
POOL_IN_FLIGHT = _gauge(
    "pointsman_pool_in_flight",
    "pool",
    meaning="Requests sent to a pool whose answer has not ended; read once a second.",
)
PLACEMENTS = _counter(
    "pointsman_placements_total",
    "pool",
    "policy",
    meaning="Requests whose endpoint was chosen here rather than by the data plane.",
)
PLACEMENT_FAILURES = _counter(
    "pointsman_placement_failures_total",
    meaning="Requests whose endpoint could not be chosen by a defect of ours, so that the data plane chose.",
)
PLACED_TOKENS = _counter(
    "pointsman_placed_prompt_tokens_total",
    "pool",
    "cached",
    meaning="Estimated prompt tokens of these; `cached` says whether the endpoint was expected to have them.",
)
ENDPOINT_IN_FLIGHT = _gauge(
    "pointsman_endpoint_in_flight",
    "endpoint",
    meaning="Requests placed at an endpoint whose answer has not ended; read once a second.",
)
PLACEMENT_INDEX_BYTES = _gauge(
    "pointsman_placement_index_bytes",
    meaning="About what is remembered of prompts and caches takes.",
)
LOAD_LOOKS = _counter(
    "pointsman_load_looks_total",
    "outcome",
    meaning="Reads of endpoints' metrics pages: `ok`, `unreachable` or `not_vllm`.",
)
KV_EVENTS = _counter(
    "pointsman_kv_event_messages_total",
    "kind",
    meaning=(
        "Messages of engines about their caches, and what was met there: `messages`, `gaps`, `restarts` or "
        "`unreadable`."
    ),
)
POOL_DOWN = _gauge(
    "pointsman_pool_down",
    "pool",
    meaning="1 while no endpoint of a pool could be reached lately and requests go elsewhere.",
)
PLUGIN_EXECUTIONS = _counter(
    "llm_plugin_execution_total",
    "plugin_type",
    "decision_name",
    "status",
    meaning="Plugins that ran for a request that was forwarded or answered early; status is `success`.",
)
REASONING_DECISIONS = _counter(
    "llm_reasoning_decisions_total",
    "category",
    "model",
    "enabled",
    "effort",
    meaning="Requests a decision won, by whether the model reasons; category is the strongest domain.",
)
REQUESTS = _counter(
    "pointsman_requests_total",
    "decision",
    "model",
    "status",
    meaning="Requests that have ended, by the status the client saw (`0`: gone before there was one).",
)
PHASES = _histogram(
    "pointsman_phase_seconds",
    "phase",
    meaning="Time spent in each phase of deciding a request.",
    buckets=FAST,
)
SIGNAL_ERRORS = _counter(
    "pointsman_signal_errors_total",
    "family",
    "name",
    "reason",
    meaning="Signals that could not be computed: `timeout`, `overloaded`, `not_computed` or `failed`.",
)
GUARDS = _counter(
    "pointsman_guard_checks_total",
    "guard",
    "action",
    "outcome",
    meaning="Requests and answers that guards checked, by what came of it: `found`, `clean` or `failed`.",
)
CACHE_HITS = _counter(
    "llm_cache_plugin_hits_total",
    "decision_name",
    "plugin_type",
    meaning="Requests answered from the cache of answers.",
)
CACHE_MISSES = _counter(
    "llm_cache_plugin_misses_total",
    "decision_name",
    "plugin_type",
    meaning="Requests the cache of answers was asked for in vain.",
)
CACHE_EVENTS = _counter(
    "pointsman_cache_events_total",
    "event",
    "detail",
    meaning=(
        "What caches of answers did: `hit` (`exact`, `semantic`), `miss`, `bypass` (not asked, by reason), "
        "`stored`, `refused` (not kept, by reason), `veto` (similar, but another question, by what differs), "
        "`left` (`expired`, `replaced`, `full`), `failed` (`timeout`, `error`) and `waited` (`ended`, "
        "`in_vain`)."
    ),
)
CACHE_ENTRIES = _gauge("pointsman_cache_entries", "backend", meaning="Answers kept; read once a second.")
CACHE_BYTES = _gauge(
    "pointsman_cache_bytes", "backend", meaning="About what these answers take; read once a second."
)
EXTPROC_STREAMS = _counter(
    "pointsman_extproc_streams_total", "outcome", meaning="Streams of the data plane that ended, by outcome."
)
EXTPROC_ERRORS = _counter(
    "pointsman_extproc_errors_total", "kind", meaning="Errors met while talking to the data plane, by kind."
)
FILTERED_ANSWERS = _counter(
    "pointsman_filtered_answers_total",
    "outcome",
    meaning=(
        "Answers that plugins had to read on their way, by what became of them: `filtered`, "
        "`refused`, `failed`, `timeout`, `too_large`, `unreadable`, `abandoned`, `no_room` or `unclaimed`."
    ),
)
INFLIGHT_ANSWERS = _gauge(
    "pointsman_inflight_filtered_answers", meaning="Answers that plugins read at this moment."
)
INFLIGHT_DECISIONS = _gauge(
    "pointsman_inflight_decisions", meaning="Requests that are being decided at this moment."
)
ENVOY_RESTARTS = _counter(
    "pointsman_envoy_restarts_total", meaning="Times our own Envoy ended unasked and was started again."
)
ENDPOINTS = _gauge(
    "pointsman_endpoints",
    "pool",
    "health",
    meaning=(
        "Replicas by pool and health: `ready`, `unknown`, `draining`, `asleep`, `down`; "
        "pool `none`: they serve no model of the document."
    ),
)
DISCOVERY_EVENTS = _counter(
    "pointsman_discovery_events_total",
    "source",
    "change",
    meaning=(
        "What sources of replicas saw: `added`, `modified`, `deleted`; `synced` for a list or resolution."
    ),
)
DISCOVERY_ERRORS = _counter(
    "pointsman_discovery_errors_total",
    "source",
    "reason",
    meaning=(
        "Trouble of sources of replicas: `failed`, `refused`, `silent`, `expired` or `truncated`; "
        "what was known stays."
    ),
)
DISCOVERY_AGE = _gauge(
    "pointsman_discovery_last_success_age_seconds",
    "source",
    meaning="Seconds since a source saw the whole truth, or heard of a change; a fixed list is always fresh.",
)
PROBES = _counter(
    "pointsman_probes_total",
    "answer",
    meaning="Probes of replicas by what they met: `well`, `asleep`, `unwell` or `unreachable`.",
)
JOURNAL_INCOMPLETE = _counter(
    "pointsman_journal_incomplete_total",
    "reason",
    meaning=(
        "Requests logged without knowing their end or their decision: "
        "`no_outcome`, `no_ruling`, `superseded`, `overflow`, `no_request_id` or `shutdown`."
    ),
)
BUILD_INFO = _gauge(
    "pointsman_build_info", "version", "python", meaning="Always 1; the labels say which build this is."
)

CATALOGUE = (
    MODEL_REQUESTS,
    REQUEST_ERRORS,
    ROUTING_LATENCY,
    ROUTING_MODIFICATIONS,
    COMPLETION_LATENCY,
    TTFT,
    SIGNAL_EXTRACTIONS,
    SIGNAL_LATENCY,
    SIGNAL_MATCHES,
    DECISION_EVALUATIONS,
    DECISION_MATCHES,
    DECISION_CONFIDENCE,
    SELECTIONS,
    SELECTION_FALLBACKS,
    POOL_IN_FLIGHT,
    PLACEMENTS,
    PLACEMENT_FAILURES,
    PLACED_TOKENS,
    ENDPOINT_IN_FLIGHT,
    PLACEMENT_INDEX_BYTES,
    LOAD_LOOKS,
    KV_EVENTS,
    POOL_DOWN,
    PLUGIN_EXECUTIONS,
    REASONING_DECISIONS,
    REQUESTS,
    PHASES,
    SIGNAL_ERRORS,
    GUARDS,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_EVENTS,
    CACHE_ENTRIES,
    CACHE_BYTES,
    EXTPROC_STREAMS,
    EXTPROC_ERRORS,
    INFLIGHT_DECISIONS,
    FILTERED_ANSWERS,
    INFLIGHT_ANSWERS,
    ENVOY_RESTARTS,
    ENDPOINTS,
    DISCOVERY_EVENTS,
    DISCOVERY_ERRORS,
    DISCOVERY_AGE,
    PROBES,
    JOURNAL_INCOMPLETE,
    BUILD_INFO,
)
