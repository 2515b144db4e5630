"""Every endpoint of the management API: routing, OpenAPI, the catalogue and the docs page read this."""

from typing import Any

from pointsman.transports.api import about, batch, classify, embeddings, engines, guard, status
from pointsman.transports.api.context import Route
from pointsman.transports.api.shapes import (
    BatchRequest,
    BatchResponse,
    Catalogue,
    EvalResponse,
    Health,
    IntentRequest,
    IntentResponse,
    ListedModels,
    ModelsInfo,
    Ready,
)
from pointsman.transports.api.shapes_embedding import (
    EmbeddingsRequest,
    EmbeddingsResponse,
    SimilarityBatchRequest,
    SimilarityBatchResponse,
    SimilarityRequest,
    SimilarityResponse,
)
from pointsman.transports.api.shapes_engines import Engine, LoadAdapter, ToldAll, UnloadAdapter, Version
from pointsman.transports.api.shapes_guard import (
    CombinedRequest,
    CombinedResponse,
    PiiRequest,
    PiiResponse,
    SecurityRequest,
    SecurityResponse,
)

Document = dict[str, Any]
_TEXT = "text/plain"
_POST_FAILURES = (400, 408, 413, 500, 503)


def _get(path: str, summary: str, handle: Any, gives: Any = None, **more: Any) -> Route:
    return Route("GET", path, summary, handle, gives=gives, **more)


def _ready(path: str, summary: str) -> Route:
    return _get(path, summary, status.ready, Ready, failures=(503,), failed=Ready)


def _post(path: str, summary: str, handle: Any, *, takes: Any, gives: Any, **more: Any) -> Route:
    return Route("POST", path, summary, handle, takes=takes, gives=gives, failures=_POST_FAILURES, **more)


def _order(path: str, summary: str, handle: Any, *query: str, takes: Any = None, **more: Any) -> Route:
    """One that changes engines."""
    return Route(
        "POST",
        path,
        summary,
        handle,
        takes=takes,
        gives=ToldAll,
        failures=(400, 403, 404, 503),
        query=("model", "id", *query),
        role="operator",
        **more,
    )


ROUTES = (
    _get("/health", "The process answers.", status.health, Health),
    _ready("/ready", "Whether traffic may come, and if not, why."),
    _ready("/startup-status", "The same record as /ready."),
    _get("/v1/models", "The model names a client may use.", status.models, ListedModels, failures=(503,)),
    _get("/info/models", "Our classification models.", status.models_info, ModelsInfo),
    _post(
        "/api/v1/classify/intent",
        "What a text is, and the model it would go to.",
        classify.classify_intent,
        takes=IntentRequest,
        gives=IntentResponse,
    ),
    _post(
        "/api/v1/classify/pii",
        "The personal data of a text, and the text without it.",
        guard.classify_pii,
        takes=PiiRequest,
        gives=PiiResponse,
    ),
    _post(
        "/api/v1/classify/security",
        "Whether a text tries to talk a model out of its rules.",
        guard.classify_security,
        takes=SecurityRequest,
        gives=SecurityResponse,
    ),
    _post(
        "/api/v1/classify/combined",
        "Intent, personal data and security in one answer.",
        guard.classify_combined,
        takes=CombinedRequest,
        gives=CombinedResponse,
    ),
    _post(
        "/api/v1/classify/batch",
        "Domain, personal data or jailbreak of each of many texts.",
        batch.classify_batch,
        takes=BatchRequest,
        gives=BatchResponse,
    ),
    _post(
        "/api/v1/eval",
        "Everything that would happen to a request, without sending it.",
        classify.evaluate,
        takes=IntentRequest,
        gives=EvalResponse,
        query=("trace",),
    ),
    _post(
        "/api/v1/embeddings",
        "The vector of each of many texts.",
        embeddings.embeddings,
        takes=EmbeddingsRequest,
        gives=EmbeddingsResponse,
    ),
    _post(
        "/api/v1/similarity",
        "How alike two texts are.",
        embeddings.similarity,
        takes=SimilarityRequest,
        gives=SimilarityResponse,
    ),
    _post(
        "/api/v1/similarity/batch",
        "Which of many texts are most like another.",
        embeddings.similarity_batch,
        takes=SimilarityBatchRequest,
        gives=SimilarityBatchResponse,
    ),
    _get("/version", "The gateway's version.", engines.version, Version),
    _get("/engines", "Every replica with its health, names and load.", engines.engines, list[Engine]),
    _order("/sleep", "Put the replicas of a model to sleep.", engines.operate, "level", "mode"),
    _order("/wake_up", "Wake them.", engines.operate, "tags"),
    _get(
        "/is_sleeping",
        "Whether they sleep.",
        engines.operate,
        ToldAll,
        failures=(400, 404, 503),
        query=("model", "id"),
    ),
    _order(
        "/v1/load_lora_adapter",
        "Load an adapter into every replica of a model.",
        engines.load_adapter,
        takes=LoadAdapter,
    ),
    _order(
        "/v1/unload_lora_adapter",
        "Unload it from them.",
        engines.unload_adapter,
        takes=UnloadAdapter,
    ),
    _get("/config", "The running document, secrets hidden.", status.config),
    _get("/config/router", "The same as /config.", status.config),
    _get("/metrics", "Prometheus metrics.", status.metrics, media=_TEXT),
    _get("/api/v1", "This list.", about.catalogue, Catalogue),
    _get("/openapi.json", "The OpenAPI document.", about.openapi_json),
    _get("/docs", "This list as a page.", about.docs, media="text/html"),
)
