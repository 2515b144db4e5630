"""Where the blocks of a flat document live in v0.3: a table, since they only move."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pointsman.config.migration.ledger import Ledger


class Place(msgspec.Struct, frozen=True):
    """Where a key went, which keys below it changed their names, and which are gone."""

    old: str
    new: str
    """Empty when nothing took its place."""
    note: str = ""
    renamed: Mapping[str, str] = {}
    gone: Mapping[str, str] = {}
    """Keys below it without a successor, and what happens instead."""


_LEARNING: Final = "gone: learning is described under global.router.learning"
_INDEX: Final = "gone: the index is chosen by size"
_ARCHITECTURE: Final = "gone: the built-in encoder reads every text"
_OLDEST: Final = {"use_modernbert": _ARCHITECTURE}
_ENCODER: Final = {"use_modernbert": _ARCHITECTURE, "use_mmbert_32k": _ARCHITECTURE}
_MODULES: Final = "global.model_catalog.modules"
_ROUTER: Final = "global.router"
_SIGNALS: Final = "routing.signals"

PLACES: Final[tuple[Place, ...]] = (
    Place("version", "", "a v0.3 document says version: v0.3"),
    *(Place(key, key) for key in ("listeners", "guards", "fleet", "gateway")),
    Place("mom_registry", "", "left out: the built-in encoder downloads nothing"),
    Place("image_gen_backends", "", "left out: write an image_gen plugin with its backend_config instead"),
    Place("router", "", "left out: weights of an implementation that no longer exists"),
    Place(
        "latency_rules",
        "",
        "left out: latency signals are gone, use the latency_aware algorithm of a decision",
    ),
    *(
        Place(key, f"providers.defaults.{key}")
        for key in ("default_model", "reasoning_families", "default_reasoning_effort")
    ),
    Place("strategy", "routing.strategy"),
    Place("projections", "routing.projections"),
    *(
        Place(key, f"{_ROUTER}.{key}")
        for key in (
            "config_source",
            "auto_model_name",
            "auto_model_names",
            "include_config_models_in_list",
            "clear_route_cache",
            "skip_processing",
        )
    ),
    Place(
        "model_selection",
        f"{_ROUTER}.model_selection",
        gone=dict.fromkeys(("elo", "rl_driven", "gmtrouter", "session_aware"), _LEARNING),
    ),
    Place("streamed_body_mode", f"{_ROUTER}.streamed_body.enabled"),
    Place("max_streamed_body_bytes", f"{_ROUTER}.streamed_body.max_bytes"),
    Place("streamed_body_timeout_sec", f"{_ROUTER}.streamed_body.timeout_sec"),
    Place("embedding_rules", f"{_SIGNALS}.embeddings"),
    Place("fact_check_rules", f"{_SIGNALS}.fact_check"),
    Place("user_feedback_rules", f"{_SIGNALS}.user_feedbacks"),
    Place("reask_rules", f"{_SIGNALS}.reasks"),
    Place("preference_rules", f"{_SIGNALS}.preferences"),
    Place("language_rules", f"{_SIGNALS}.language"),
    Place("context_rules", f"{_SIGNALS}.context"),
    Place("structure_rules", f"{_SIGNALS}.structure"),
    Place("complexity_rules", f"{_SIGNALS}.complexity"),
    Place("modality_rules", f"{_SIGNALS}.modality"),
    *(
        Place(key, f"{_SIGNALS}.{key}")
        for key in (
            "role_bindings",
            "jailbreak",
            "pii",
            "kb",
            "conversation",
            "events",
            "metadata",
            "classifiers",
        )
    ),
    Place(
        "semantic_cache",
        "global.stores.response_cache",
        gone={
            **dict.fromkeys(("use_hnsw", "hnsw_m", "hnsw_ef_construction", "hnsw_ef_search"), _INDEX),
            "max_memory_entries": "gone: max_entries bounds the memory",
            "backend_config_path": "gone: write the backend's settings below response_cache, under its name",
        },
    ),
    Place("memory", "global.stores.memory"),
    Place("vector_store", "global.stores.vector_store"),
    *(Place(key, f"global.integrations.{key}") for key in ("tools", "looper")),
    *(
        Place(key, f"global.services.{key}")
        for key in ("api", "observability", "authz", "ratelimit", "response_api", "router_replay")
    ),
    Place(
        "embedding_models",
        "global.model_catalog.embeddings.semantic",
        renamed={"hnsw_config": "embedding_config"},
    ),
    Place(
        "prompt_guard",
        f"{_MODULES}.prompt_guard",
        gone={
            **_ENCODER,
            **dict.fromkeys(
                (
                    "classifier_vllm_endpoint",
                    "vllm_model_name",
                    "vllm_timeout_seconds",
                    "response_parser_type",
                ),
                "left out: describe that model under global.model_catalog.external, model_role guardrail",
            ),
        },
    ),
    Place("prompt_compression", f"{_MODULES}.prompt_compression"),
    Place("classifier.category_model", f"{_MODULES}.classifier.domain", gone=_OLDEST),
    Place("classifier.pii_model", f"{_MODULES}.classifier.pii", gone=_OLDEST),
    Place("classifier.mcp_category_model", f"{_MODULES}.classifier.mcp"),
    Place("classifier.preference_model", f"{_MODULES}.classifier.preference", gone=_ENCODER),
    Place(
        "hallucination_mitigation",
        f"{_MODULES}.hallucination_mitigation",
        renamed={
            "fact_check_model": "fact_check",
            "hallucination_model": "detector",
            "nli_model": "explainer",
        },
    ),
    Place("feedback_detector", f"{_MODULES}.feedback_detector"),
    Place("modality_detector", f"{_MODULES}.modality_detector"),
    Place("external_models", "global.model_catalog.external"),
    Place("system_models", "global.model_catalog.system"),
)
"""Every key that moves without being taken apart."""


def move_all(old: Mapping[str, Any], ledger: Ledger) -> None:
    """Move every block of the table that the old document has."""
    for place in PLACES:
        value: Any = old
        for step in place.old.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            _move(place, value, ledger)
    _rest_of_classifier(old.get("classifier", {}), ledger)
    _bert(old.get("bert_model"), ledger)


def _move(place: Place, value: Any, ledger: Ledger) -> None:
    if not place.new:
        ledger.left(place.old, place.note)
        return
    if not isinstance(value, Mapping):
        ledger.put(place.new, list(value) if isinstance(value, list) else value, place.old, place.note)
        return
    kept = {place.renamed.get(key, key): inner for key, inner in value.items() if key not in place.gone}
    ledger.put(place.new, kept, place.old, place.note)
    for key in value:
        if key in place.gone:
            ledger.left(f"{place.old}.{key}", place.gone[key])
        elif key in place.renamed:
            ledger.moved(f"{place.old}.{key}", f"{place.new}.{place.renamed[key]}", "renamed")


def _rest_of_classifier(classifier: Mapping[str, Any], ledger: Ledger) -> None:
    """Keys of ``classifier`` that the table does not know go along, so that the v0.3 schema names them."""
    known = {place.old.partition(".")[2] for place in PLACES if place.old.startswith("classifier.")}
    for key in classifier.keys() - known:
        ledger.put(f"{_MODULES}.classifier", {key: classifier[key]}, "classifier")


def _bert(bert: Mapping[str, Any] | None, ledger: Ledger) -> None:
    """The oldest embedding model: a folder, and the threshold of whoever set none."""
    if bert is None:
        return
    for key, value in bert.items():
        path = f"bert_model.{key}"
        if key == "model_id":
            ledger.put("global.model_catalog.embeddings.semantic", {"bert_model_path": value}, path)
        elif key == "threshold":
            cache = ledger.at("global.stores.response_cache")
            if cache is not None and "similarity_threshold" not in cache:
                ledger.put(
                    "global.stores.response_cache.similarity_threshold", value, path, "it was the default"
                )
            else:
                ledger.left(path, "left out: nothing used it as a default")
        else:
            ledger.left(path, "left out: the built-in encoder runs on the CPU")
