"""Requests and answers of the management API, field by field as the semantic router has them.

Unknown fields of a request are ignored, as clients written for the semantic router send more than we read.
"""

from typing import Annotated, Any

import msgspec

Confidence = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Options(msgspec.Struct, frozen=True):
    """How to classify."""

    return_probabilities: bool = False
    confidence_threshold: Confidence = 0.7
    """From which confidence on a category counts as certain."""
    include_explanation: bool = False
    """Accepted without effect."""
    evaluate_all_signals: bool = False
    """Accepted without effect: the signals evaluated are those the decisions refer to."""
    trace: bool = False
    """Add how every decision evaluated."""


class ContentPart(msgspec.Struct, frozen=True):
    """One part of a message."""

    type: str
    text: str | None = None


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation."""

    role: str
    content: str | list[ContentPart] | None = None


class IntentRequest(msgspec.Struct, frozen=True):
    """A text or a conversation to classify as if it were a chat request."""

    text: str = ""
    messages: list[Turn] = []
    """Used instead of `text` when not empty."""
    model: str = ""
    """A model name as a client would send it; without one, the virtual model."""
    tools: list[dict[str, Any]] = []
    metadata: dict[str, str] = {}
    options: Options = Options()


class BatchRequest(msgspec.Struct, frozen=True):
    """Texts to classify."""

    texts: list[str]
    task_type: str = "intent"
    """`intent`, `pii`, `security` or `all`; empty for `intent`."""
    options: Options = Options()


class Health(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "healthy"
    service: str = "classification-api"


class Ready(msgspec.Struct, frozen=True):
    """Whether traffic may come."""

    status: str
    """`ready` or `starting`."""
    ready: bool
    phase: str
    message: str
    missing: tuple[str, ...]
    pending_models: tuple[str, ...]
    ready_models: int
    total_models: int
    service: str = "classification-api"
    downloading_model: str = ""
    """Always empty: models come with the package."""


class Classification(msgspec.Struct, frozen=True):
    """The category: the decision's name where one matched, else the domain."""

    category: str
    confidence: float
    processing_time_ms: int


class DecisionResult(msgspec.Struct, frozen=True):
    """The decision that matched."""

    decision_name: str
    confidence: float
    matched_rules: list[str]


class DecisionEvaluation(msgspec.Struct, frozen=True):
    """How one decision evaluated; `root_trace` is its rule tree with every leaf's outcome."""

    decision_name: str
    matched: bool
    confidence: float
    priority: int
    tier: int
    root_trace: dict[str, Any]


class IntentResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a text is and where it would go."""

    classification: Classification
    probabilities: dict[str, float] | None = None
    """Probability of each domain, when asked for."""
    recommended_model: str = ""
    routing_decision: str = ""
    """The decision's name, else `high_confidence_specialized` or `low_confidence_general`."""
    matched_signals: dict[str, list[str]] = {}
    decision_result: DecisionResult | None = None
    signal_errors: dict[str, str] = {}
    eval_trace: list[DecisionEvaluation] | None = None


class BatchResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text: its domain, the first kind of personal data or `no_pii`, `jailbreak` or `safe`."""

    category: str
    confidence: float
    processing_time_ms: int
    probabilities: dict[str, float] | None = None
    pii_types: list[str] | None = None
    """Kinds of personal data, with the tasks `pii` and `all`."""
    risk_score: float | None = None
    """Probability of a jailbreak, with the tasks `security` and `all`."""


class BatchStatistics(msgspec.Struct, frozen=True):
    """The batch as a whole."""

    category_distribution: dict[str, int]
    avg_confidence: float
    low_confidence_count: int


class BatchResponse(msgspec.Struct, frozen=True):
    """One result for each text, in order."""

    results: list[BatchResult]
    total_count: int
    processing_time_ms: int
    statistics: BatchStatistics


class EvalDecision(msgspec.Struct, frozen=True):
    """The decision that matched and the signals behind it; the name is empty when none matched."""

    decision_name: str
    algorithm: str
    plugins: list[str]
    used_signals: dict[str, list[str]]
    matched_signals: dict[str, list[str]]
    unmatched_signals: dict[str, list[str]]


class FamilyMetrics(msgspec.Struct, frozen=True):
    """A signal family's cost and highest confidence."""

    execution_time_ms: float
    confidence: float


class EvalResponse(msgspec.Struct, frozen=True):
    """Everything that would have happened to a request, without sending it."""

    original_text: str
    requested_model: str
    decision_result: EvalDecision
    recommended_models: list[str]
    selected_model: str
    selection_status: str
    """`selected`, `fallback` (the default model) or `unavailable`."""
    selection_method: str
    selection_reason: str
    routing_decision: str
    metrics: dict[str, FamilyMetrics]
    signal_confidences: dict[str, float]
    signal_errors: dict[str, str]
    eval_trace: list[DecisionEvaluation] | None = None


class ModelInfo(msgspec.Struct, frozen=True):
    """One classification model."""

    name: str
    type: str
    loaded: bool
    categories: tuple[str, ...]
    metadata: dict[str, str]


class ModelsSummary(msgspec.Struct, frozen=True):
    """All classification models together."""

    ready: bool
    loaded_models: int
    total_models: int


class SystemInfo(msgspec.Struct, frozen=True):
    """What we run on."""

    python_version: str
    architecture: str
    os: str
    version: str


class ModelsInfo(msgspec.Struct, frozen=True):
    """Our classification models, not the models requests go to."""

    models: list[ModelInfo]
    summary: ModelsSummary
    system: SystemInfo


class ListedModels(msgspec.Struct, frozen=True):
    """The names a client may use, the same list as on the data plane."""

    object: str
    data: list[dict[str, Any]]


class CatalogueEntry(msgspec.Struct, frozen=True):
    """One endpoint."""

    method: str
    path: str
    description: str


class Catalogue(msgspec.Struct, frozen=True):
    """All endpoints, and those of the semantic router that later versions bring."""

    service: str
    version: str
    endpoints: list[CatalogueEntry]
    planned: dict[str, str]


class ErrorDetail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong."""

    code: str
    message: str
    timestamp: str
    request_id: str = ""
    field: str = ""
    """The field of the request at fault, where one is."""


class ErrorBody(msgspec.Struct, frozen=True):
    """The shape of every error."""

    error: ErrorDetail
