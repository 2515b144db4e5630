"""Every flag of the production stack's router, in the order its own help has them."""

from typing import Final

from pointsman.config.stack.flag import Flag, Kind

_REF: Final = "providers.models[].backend_refs[]"
_CHECKS: Final = "providers.models[].reliability"
_PODS: Final = "fleet.kubernetes[]"
_LMCACHE: Final = "no LMCache controller runs here; the policy kvaware is told by the engines' own KV events"
_FILES: Final = "files are on the local disk, and batches are run by this process"
_SENTRY: Final = "errors are in the log and in metrics"
_CACHE: Final = "no answer comes from a cache"

POLICIES: Final = (
    "roundrobin",
    "session",
    "kvaware",
    "prefixaware",
    "disaggregated_prefill",
    "disaggregated_prefill_orchestrated",
    "loadaware",
)

FLAGS: Final[tuple[Flag, ...]] = (
    Flag("host", "Address to bind.", default="0.0.0.0", ours="listeners[0].address"),  # noqa: S104  # theirs
    Flag("port", "Port to bind.", Kind.WHOLE, default=8001, least=1, most=65535, ours="listeners[0].port"),
    Flag(
        "root-path",
        "Prefix of all paths behind a proxy.",
        default="",
        meanwhile="paths have no prefix; let the proxy remove it",
    ),
    Flag(
        "service-discovery",
        "How engines are found.",
        choices=("static", "k8s", "external-only"),
        ours="providers.models[].backend_refs, fleet.kubernetes",
    ),
    Flag(
        "k8s-service-discovery-type",
        "What is watched in the cluster.",
        choices=("pod-ip", "service-name"),
        ours=f"{_PODS}.kind",
    ),
    Flag("static-backends", "URLs of engines.", Kind.LIST, ours=f"{_REF}.endpoint, {_REF}.base_url"),
    Flag("static-models", "The model of each URL.", Kind.LIST, ours="providers.models[].name"),
    Flag(
        "static-aliases",
        "Further names of models, as alias:model.",
        Kind.LIST,
        ours="providers.models[].provider_model_id",
    ),
    Flag(
        "static-model-types", "What each engine does: chat, embeddings, ...", Kind.LIST, ours=f"{_REF}.type"
    ),
    Flag(
        "static-model-labels",
        "A label of each engine, for prefill and decode.",
        Kind.LIST,
        ours=f"{_REF}.name, fleet.static[].labels, fleet.dns[].labels",
    ),
    Flag(
        "static-backend-health-checks",
        "Ask engines whether they live.",
        Kind.SWITCH,
        default=False,
        ours=f"{_CHECKS}.health_check_path",
    ),
    Flag(
        "static-backend-health-check-interval",
        "Seconds between two checks.",
        Kind.WHOLE,
        default=60,
        least=1,
        ours=f"{_CHECKS}.health_check_interval",
    ),
    Flag(
        "static-backend-health-check-timeout-seconds",
        "Longest check, seconds.",
        Kind.WHOLE,
        default=10,
        least=1,
        ours=f"{_CHECKS}.health_check_timeout",
    ),
    Flag(
        "k8s-port",
        "Port of the engines in pods.",
        Kind.WHOLE,
        default=8000,
        least=1,
        most=65535,
        ours=f"{_PODS}.port",
    ),
    Flag("k8s-namespace", "Namespace of the pods.", default="default", ours=f"{_PODS}.namespace"),
    Flag("k8s-label-selector", "Which pods are engines.", default="", ours=f"{_PODS}.selector"),
    Flag(
        "k8s-watcher-timeout-seconds",
        "Longest watch, seconds; 0 leaves it to the server.",
        Kind.WHOLE,
        default=0,
        ours=f"{_PODS}.relist_interval",
    ),
    Flag(
        "backend-health-check-timeout-seconds",
        "Longest look at a pod's engine, seconds.",
        Kind.WHOLE,
        default=10,
        least=1,
        ours="fleet.health.timeout",
    ),
    Flag("routing-logic", "Which replica serves a request.", choices=POLICIES, ours="fleet.policy"),
    Flag("lmcache-controller-port", "Port of the LMCache controller.", Kind.WHOLE, 9000, meanwhile=_LMCACHE),
    Flag("lmcache-controller-reply-port", "Its port for replies.", Kind.WHOLE, meanwhile=_LMCACHE),
    Flag("lmcache-controller-heartbeat-port", "Its port for heartbeats.", Kind.WHOLE, meanwhile=_LMCACHE),
    Flag(
        "lmcache-health-check-interval", "Its check of workers, seconds.", Kind.WHOLE, 5, meanwhile=_LMCACHE
    ),
    Flag("lmcache-worker-timeout", "When it gives up a worker, seconds.", Kind.WHOLE, 30, meanwhile=_LMCACHE),
    Flag(
        "kv-aware-threshold",
        "Tokens that may be missing from a cache.",
        Kind.WHOLE,
        2000,
        meanwhile="what is cached is weighed against load: fleet.placement.prefix_weight",
    ),
    Flag(
        "prefix-min-match-length",
        "Characters from which a common beginning counts.",
        Kind.WHOLE,
        0,
        meanwhile="what is cached is weighed against load: fleet.placement.prefix_weight",
    ),
    Flag(
        "session-key",
        "Header, or else field of the body, with the session's id.",
        ours="fleet.placement.session.header, fleet.placement.session.body",
    ),
    Flag("callbacks", "Python code around requests.", meanwhile="no code of others is called"),
    Flag(
        "request-rewriter",
        "Python code that rewrites requests.",
        default="noop",
        choices=("noop",),
        ours="(noop does nothing; decisions rewrite requests)",
    ),
    Flag("enable-batch-api", "Files and batches.", Kind.SWITCH, default=False, ours="gateway.files.enabled"),
    Flag("file-storage-class", "Where files are.", default="local_file", meanwhile=_FILES),
    Flag("file-storage-path", "Folder of files.", ours="gateway.files.folder"),
    Flag("batch-processor", "Who works on batches.", default="local", meanwhile=_FILES),
    Flag(
        "engine-stats-interval",
        "Seconds between two looks at an engine's metrics.",
        Kind.WHOLE,
        default=30,
        least=1,
        meanwhile="placement depends on them, so fleet.placement.load_interval (1 s) holds",
    ),
    Flag(
        "request-stats-window",
        "Seconds over which requests are counted.",
        Kind.WHOLE,
        60,
        least=1,
        meanwhile="counters and histograms are for Prometheus to take rates of",
    ),
    Flag(
        "log-stats",
        "Print statistics now and then.",
        Kind.SWITCH,
        default=False,
        meanwhile="a line a request is logged, the rest is in /metrics",
    ),
    Flag(
        "log-stats-interval",
        "Seconds between two prints.",
        Kind.WHOLE,
        10,
        least=1,
        meanwhile="a line a request is logged, the rest is in /metrics",
    ),
    Flag(
        "dynamic-config-yaml",
        "File with values of these flags, YAML.",
        ours="(read at the start; changes take effect at the next start)",
    ),
    Flag(
        "dynamic-config-json",
        "The same, JSON.",
        ours="(read at the start; changes take effect at the next start)",
    ),
    Flag(
        "feature-gates",
        "Experiments, as SemanticCache=true,PIIDetection=true.",
        Kind.LIST,
        default=(),
        meanwhile="SemanticCache: no answer comes from a cache; PIIDetection: write guards.pii in a document",
    ),
    Flag(
        "semantic-cache-model", "Embedding model of the cache.", default="all-MiniLM-L6-v2", meanwhile=_CACHE
    ),
    Flag("semantic-cache-dir", "Folder of the cache.", default="semantic_cache", meanwhile=_CACHE),
    Flag("semantic-cache-threshold", "How similar is the same.", Kind.SHARE, 0.95, most=1, meanwhile=_CACHE),
    Flag(
        "log-level",
        "Least severe line logged.",
        default="info",
        choices=("critical", "error", "warning", "info", "debug", "trace"),
        ours="gateway.log_level",
    ),
    Flag(
        "log-format",
        "How lines look.",
        default="text",
        choices=("text", "json"),
        ours="(of this command alone; serve writes text to a terminal and JSON elsewhere)",
    ),
    Flag("sentry-dsn", "Where errors are reported.", meanwhile=_SENTRY),
    Flag("sentry-traces-sample-rate", "Share of traces.", Kind.SHARE, 0.1, most=1, meanwhile=_SENTRY),
    Flag(
        "sentry-profile-session-sample-rate", "Share of profiles.", Kind.SHARE, 1.0, most=1, meanwhile=_SENTRY
    ),
    Flag(
        "otel-endpoint",
        "Collector of spans.",
        ours="global.services.observability.tracing.exporter.endpoint",
    ),
    Flag(
        "otel-service-name",
        "Name of this process in spans.",
        default="vllm-router",
        ours="global.services.observability.tracing.resource.service_name",
    ),
    Flag(
        "otel-secure",
        "Speak TLS to the collector.",
        Kind.SWITCH,
        default=False,
        ours="global.services.observability.tracing.exporter.insecure",
    ),
    Flag(
        "prefill-model-labels",
        "Labels of engines that compute prompts.",
        Kind.LIST,
        ours="fleet.static[].role, fleet.dns[].role, fleet.kubernetes[].role",
    ),
    Flag(
        "decode-model-labels",
        "Labels of engines that generate answers.",
        Kind.LIST,
        ours="fleet.static[].role, fleet.dns[].role, fleet.kubernetes[].role",
    ),
    Flag(
        "max-instance-failover-reroute-attempts",
        "How often another engine is tried.",
        Kind.WHOLE,
        default=0,
        ours=f"{_CHECKS}.retry_count",
    ),
    Flag(
        "external-providers-config",
        "File with models that others serve.",
        ours="providers.models[].backend_refs[].base_url, api_key_env, extra_headers",
    ),
    Flag("version", "Print the version and end.", Kind.SWITCH, default=False, ours="(pointsman --version)"),
)
"""Flags with neither ``meanwhile`` nor a reason in brackets become keys of our document."""

FLAGS_BY_KEY: Final = {flag.key: flag for flag in FLAGS}
