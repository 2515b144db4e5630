"""``global.services``: the management API, observability, identity, rate limits and stored responses."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pointsman.config.base import Count, Name, Names, Part, Port, Positive, Seconds, Secret, Unit
from pointsman.config.services_records import ResponseApi, RouterReplayService, StartupStatus


class BatchSizeRange(Part):
    """A named range of batch sizes."""

    min: Count = Field(0, description="Smallest size.")
    max: Count = Field(0, description="Largest size.")
    label: str = Field("", description="Label in metrics.")


class BatchMetrics(Part):
    """Metrics of batch classification."""

    enabled: bool = Field(default=True, description="Whether they are kept.")
    detailed_goroutine_tracking: bool = Field(default=False, description="Kept for compatibility.")
    high_resolution_timing: bool = Field(
        default=False, description="Whether times are kept to the nanosecond."
    )
    sample_rate: Unit = Field(1.0, description="Share of batches measured.")
    batch_size_ranges: tuple[BatchSizeRange, ...] = Field((), description="Named ranges of sizes.")
    duration_buckets: tuple[float, ...] = Field((), description="Histogram bounds, seconds.")
    size_buckets: tuple[float, ...] = Field((), description="Histogram bounds, texts.")


class BatchClassification(Part):
    """Limits of classification in batches."""

    max_batch_size: Positive = Field(100, description="Most texts in one call; more are refused.")
    concurrency_threshold: Positive = Field(5, description="Texts from which work is spread.")
    max_concurrency: Positive = Field(8, description="Texts classified at the same time.")
    metrics: BatchMetrics = Field(default_factory=BatchMetrics, description="Metrics of batches.")


class Api(Part):
    """The classification API."""

    batch_classification: BatchClassification = Field(
        default_factory=BatchClassification, description="Limits of batches."
    )


class ManagementToken(Part):
    """A bearer token and what it may do."""

    env: Name = Field(description="Environment variable that holds the token.")
    role: Literal["viewer", "operator", "admin"] = Field(description="Role of its bearer.")


class ManagementRoles(Part):
    """What each role may do."""

    viewer: Names = Field((), description="Permissions of viewers.")
    operator: Names = Field((), description="Permissions of operators.")
    admin: Names = Field((), description="Permissions of admins.")


class ManagementAuth(Part):
    """Who may use the management API."""

    mode: Literal["disabled", "bearer"] = Field("disabled", description="Whether a token is needed.")
    tokens: tuple[ManagementToken, ...] = Field((), description="Accepted tokens.")
    roles: ManagementRoles | None = Field(None, description="What each role may do.")


class ManagementApi(Part):
    """HTTP API for people and probes, never on the data port."""

    bind_address: str = Field(
        "127.0.0.1", min_length=1, description="IP address to bind; loopback by default."
    )
    port: Port = Field(8080, description="TCP port.")
    remote_exposure: bool = Field(
        default=False, description="Whether other addresses than loopback may be bound."
    )
    auth: ManagementAuth = Field(default_factory=ManagementAuth, description="Who may use it.")


class WindowedMetrics(Part):
    """Metrics over the last minutes."""

    enabled: bool = Field(default=False, description="Whether they are kept.")
    time_windows: Names = Field((), description="Windows, such as 1m.")
    update_interval: Seconds | None = Field(None, description="Time between updates, seconds.")
    model_metrics: bool = Field(default=False, description="Whether they are kept per model.")
    queue_depth_estimation: bool = Field(default=False, description="Whether queue depths are estimated.")
    max_models: Positive | None = Field(None, description="Most models tracked.")


class Metrics(Part):
    """Prometheus metrics."""

    enabled: bool = Field(default=True, description="Whether metrics are served.")
    windowed_metrics: WindowedMetrics = Field(default_factory=WindowedMetrics, description="Recent metrics.")


class TraceExporter(Part):
    """Where spans go."""

    type: Literal["otlp", "stdout"] = Field("otlp", description="Kind of exporter.")
    endpoint: str = Field("", description="host:port of the collector.")
    insecure: bool = Field(default=True, description="Whether the connection is plain.")


class TraceSampling(Part):
    """Which requests are traced."""

    type: Literal["always_on", "always_off", "probabilistic"] = Field(
        "always_on", description="Kind of sampling."
    )
    rate: Unit = Field(1.0, description="Share of requests, for probabilistic.")


class TraceResource(Part):
    """How this process names itself in traces."""

    service_name: str = Field("vllm-sr", description="Name of the service.")
    service_version: str = Field("", description="Version of the service.")
    deployment_environment: str = Field("", description="Name of the environment.")


class Tracing(Part):
    """OpenTelemetry spans."""

    enabled: bool = Field(
        default=False, description="Whether spans are sent; off until a collector is named."
    )
    provider: str = Field("opentelemetry", description="Kind of tracing.")
    exporter: TraceExporter = Field(default_factory=TraceExporter, description="Where spans go.")
    sampling: TraceSampling = Field(default_factory=TraceSampling, description="Which requests are traced.")
    resource: TraceResource = Field(default_factory=TraceResource, description="Name of this process.")


class Observability(Part):
    """Metrics and traces."""

    metrics: Metrics = Field(default_factory=Metrics, description="Prometheus metrics.")
    tracing: Tracing = Field(default_factory=Tracing, description="OpenTelemetry spans.")


class Identity(Part):
    """Headers in which the gateway before us names the user."""

    user_id_header: str = Field("x-authz-user-id", min_length=1, description="Header with the user's id.")
    user_groups_header: str = Field(
        "x-authz-user-groups", min_length=1, description="Header with groups, by comma."
    )


class AuthzProvider(Part):
    """A source of provider credentials."""

    type: Literal["header-injection", "static-config"] = Field(description="Where credentials come from.")
    headers: Mapping[str, Secret] = Field(default_factory=dict, description="Headers read or set.")


class Authz(Part):
    """Identity and credentials."""

    fail_open: bool = Field(
        default=False,
        description="Whether requests without a user id are routed, as holding no role, instead of refused.",
    )
    identity: Identity = Field(default_factory=Identity, description="Headers that name the user.")
    providers: tuple[AuthzProvider, ...] = Field((), description="Sources of credentials, in order.")


class RateMatch(Part):
    """Whom a limit concerns; empty concerns everyone."""

    user: str = Field("", description="User id.")
    group: str = Field("", description="Group name.")
    model: str = Field("", description="Model name.")


class RateRule(Part):
    """A limit per unit of time."""

    name: Name = Field(description="Name of the limit, in metrics.")
    match: RateMatch = Field(default_factory=RateMatch, description="Whom it concerns.")
    requests_per_unit: Count | None = Field(None, description="Most requests.")
    tokens_per_unit: Count | None = Field(None, description="Most tokens.")
    unit: Literal["second", "minute", "hour", "day"] = Field("minute", description="Length of the window.")


class RateProvider(Part):
    """Who counts."""

    type: Literal["envoy-ratelimit", "local-limiter"] = Field(description="A shared service or this process.")
    address: str = Field("", description="host:port of the shared service.")
    domain: str = Field("", description="Domain at the shared service.")
    rules: tuple[RateRule, ...] = Field((), description="Limits counted here.")


class RateLimit(Part):
    """Limits on requests and tokens."""

    fail_open: bool = Field(default=False, description="Whether requests pass when counting fails.")
    providers: tuple[RateProvider, ...] = Field((), description="Who counts, in order.")


class Services(Part):
    """Everything beside routing that the process offers."""

    api: Api = Field(default_factory=Api, description="The classification API.")
    response_api: ResponseApi = Field(default_factory=ResponseApi, description="Stored responses.")
    router_replay: RouterReplayService = Field(
        default_factory=RouterReplayService, description="Routing records."
    )
    startup_status: StartupStatus = Field(default_factory=StartupStatus, description="Progress of starting.")
    management_api: ManagementApi = Field(
        default_factory=ManagementApi, description="API for people and probes."
    )
    observability: Observability = Field(default_factory=Observability, description="Metrics and traces.")
    authz: Authz = Field(default_factory=Authz, description="Identity and credentials.")
    ratelimit: RateLimit = Field(default_factory=RateLimit, description="Limits on requests and tokens.")
