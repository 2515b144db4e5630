"""``gateway``: our own limits and the Envoy we run; every key has a safe default."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.config.base import Count, Part, Positive


class EnvoyProcess(Part):
    """The Envoy that ``serve`` starts and supervises."""

    binary: str | None = Field(
        None, min_length=1, description="Path of the Envoy binary; unset finds the installed one."
    )
    concurrency: Positive | None = Field(
        None, description="Envoy worker threads; unset uses one per core that this process may use."
    )


class Limits(Part):
    """Bounds that keep one request, or a flood of them, from taking the gateway down."""

    max_body_bytes: Positive = Field(
        32 * 2**20, description="Largest request body, bytes; 32 MiB fits long contexts and a few images."
    )
    max_messages: Positive = Field(
        4096, description="Most messages in one conversation; agents reach hundreds, abuse reaches millions."
    )
    max_concurrent_decisions: Positive = Field(
        256, description="Requests decided at the same time; more are answered 429 instead of piling up."
    )
    decision_timeout_ms: Positive = Field(
        5000, description="Longest time a decision may take, milliseconds; late signals count as not matched."
    )
    max_filtered_answers: Positive = Field(
        1024,
        description="Answers that plugins read on their way, at the same time; more requests get a 503.",
    )
    max_filtered_bytes: Positive = Field(
        4 * 2**20,
        description="Largest answer that has to be read whole (any but a stream), bytes; more is a 502.",
    )
    answer_filter_timeout_ms: Positive = Field(
        5000,
        description="Longest work on one piece of an answer, milliseconds; then it ends in an error.",
    )
    stream_idle_timeout_s: Positive = Field(
        300, description="Longest silence within a response, seconds; slow prefill must fit into it."
    )
    connect_timeout_ms: Positive = Field(
        1000,
        description="Longest connecting to an engine, milliseconds; dead hosts should fail over fast.",
    )
    engine_control_timeout_s: Positive = Field(
        120,
        description="Longest an engine may take over sleep, waking or an adapter, seconds.",
    )
    drain_timeout_s: Count = Field(
        30,
        description="How long running requests may finish at shutdown or reload, seconds.",
    )
    encoder_threads: Positive = Field(
        2, description="Texts encoded at the same time, one core each; more than the cores only adds waiting."
    )
    encoder_cache_entries: Count = Field(
        4096, description="Encoded texts remembered by content, about 4 KiB each; 0 remembers none."
    )
    encoder_max_pending: Positive = Field(
        256, description="Texts waiting for the encoder; more fail at once instead of waiting without end."
    )
    metric_label_values: Positive = Field(
        200,
        description="Distinct values of a metric label; further ones count as other, to bound memory.",
    )


class EncoderEngine(Part):
    """How the built-in encoder computes, and how much of a text it looks at."""

    engine: Literal["onnxruntime", "openvino"] = Field(
        "onnxruntime",
        description=(
            "What runs the network: onnxruntime anywhere, in int8; openvino, which is pointsman[openvino], "
            "nearer to full precision on processors with bf16, with vectors that no other engine's fit."
        ),
    )
    scan_tokens: Positive = Field(
        4096,
        description=(
            "Word pieces of one text that guards look at, about; of longer texts evenly spread parts are "
            "read, the beginning and the end among them."
        ),
    )


class Files(Part):
    """Files and batches of requests, kept on this machine's disk and run in the background."""

    enabled: bool = Field(
        default=False, description="Whether /v1/files and /v1/batches are served, by our own Envoy only."
    )
    folder: str | None = Field(
        None,
        min_length=1,
        description=(
            "Where they are kept, one gateway each; unset is pointsman/files below $XDG_STATE_HOME, or "
            "below ~/.local/state."
        ),
    )
    max_file_bytes: Positive = Field(100 * 2**20, description="Largest file that can be uploaded, bytes.")
    max_files: Positive = Field(1000, description="Most files uploaded and kept; results come on top.")
    max_bytes: Positive = Field(10 * 2**30, description="Most bytes of files and results in all.")
    max_batches: Positive = Field(1000, description="Most batches kept, ended ones included.")
    max_requests: Positive = Field(50_000, description="Most requests in one batch.")
    max_running: Positive = Field(4, description="Batches at work at the same time; more wait.")
    concurrency: Positive = Field(
        8, description="Requests of all batches at the same time; few, so that live requests come first."
    )
    request_timeout_s: Positive = Field(600, description="Longest one request of a batch may take, seconds.")
    expire_after_hours: Positive = Field(
        720, description="How long files, batches and results are kept, hours."
    )


class Gateway(Part):
    """How the gateway itself runs."""

    envoy: EnvoyProcess = Field(default_factory=EnvoyProcess, description="The Envoy that is started.")
    limits: Limits = Field(default_factory=Limits, description="Bounds on requests and memory.")
    encoder: EncoderEngine = Field(
        default_factory=EncoderEngine, description="How the built-in encoder reads texts."
    )
    files: Files = Field(default_factory=Files, description="Files and batches, see docs/endpoints.md.")
    on_router_failure: Literal["closed", "open"] = Field(
        "closed",
        description="When no decision can be had, closed answers 503 and open sends to the default model.",
    )
    operations_on_listeners: bool = Field(
        default=False,
        description=(
            "Whether GET /health and /metrics are answered where clients connect, too; off, since they tell "
            "more than clients need."
        ),
    )
    forwarded_paths: tuple[Annotated[str, Field(pattern=r"^/[^?#\s]*$")], ...] = Field(
        ("/v1/", "/v2/", "/inference/", "/version"),
        description=(
            "Paths beside those in docs/endpoints.md that go to an engine as they are; one that ends in a "
            "slash stands for all below it. Paths that operate engines never do."
        ),
    )
    serve_discovered_models: bool = Field(
        default=True,
        description=(
            "Whether clients may name models that engines list and the document does not: adapters loaded at "
            "run time, aliases."
        ),
    )
    unknown_model_status: Literal[400, 404] | None = Field(
        None,
        description=(
            "Status for a model nobody has; unset is 400 on paths the semantic router has and 404 on others, "
            "as their clients expect."
        ),
    )
    trust_identity_headers: bool = Field(
        default=False,
        description=(
            "Whether our own Envoy believes headers that name user, groups, team or tenant; only for a "
            "gateway behind a proxy that authenticates callers and sets them, else clients could be anyone."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log record written; info says what changed, not what passed."
    )
