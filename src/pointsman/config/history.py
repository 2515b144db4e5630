"""Keys that earlier versions of the document had, and what took their place."""

import re
from collections.abc import Mapping
from typing import Final

from pointsman.config.tree import fault
from pointsman.core.problem import Problem

_LEARNING: Final = "remove it and describe learning under global.router.learning"
_TOOLS: Final = "use the tools plugin of the decision"

REMOVED: Final[tuple[tuple[str, str], ...]] = (
    (r".*\b(session_aware|elo|rl_driven|gmtrouter|bandit|lookup_tables|model_switch_gate)", _LEARNING),
    (r"routing\.decisions\[\]\.(tool_scope|allow_tools|block_tools)", _TOOLS),
    (r"providers\.default_model", "write providers.defaults.default_model"),
    (r"providers\.(reasoning_families|default_reasoning_effort)", "move it under providers.defaults"),
    (
        r"routing\.models",
        "describe models under routing.modelCards, and where they run under providers.models",
    ),
    (
        r"global\.stores\.(response_cache|semantic_cache)\.(use_hnsw|hnsw_.*|max_memory_entries)",
        "remove it: the index is chosen by size",
    ),
    (r"routing\.signals\.latency", "remove it and use the latency_aware algorithm of the decision"),
    (r"(config|configOverride)", "keep one document: either bare, or all of it under config"),
)
"""Patterns of key paths (list indexes left out) and what replaced the key."""

PLUGINS: Final[Mapping[str, str]] = {
    "pii": "declare a pii signal and a decision with a fast_response plugin that refers to it",
    "jailbreak": "declare a jailbreak signal and a decision with a fast_response plugin that refers to it",
}
"""Plugin types that are gone, and what replaced them."""

FLAT: Final[Mapping[str, str]] = {
    "vllm_endpoints": "providers.models[].backend_refs",
    "model_config": "providers.models and routing.modelCards",
    "categories": "routing.signals.domains and routing.decisions",
    "decisions": "routing.decisions",
    "default_model": "providers.defaults.default_model",
    "reasoning_families": "providers.defaults.reasoning_families",
    "default_reasoning_effort": "providers.defaults.default_reasoning_effort",
    "provider_profiles": "providers.models[].backend_refs",
    "keyword_rules": "routing.signals.keywords",
    "embedding_rules": "routing.signals.embeddings",
    "fact_check_rules": "routing.signals.fact_check",
    "user_feedback_rules": "routing.signals.user_feedbacks",
    "preference_rules": "routing.signals.preferences",
    "language_rules": "routing.signals.language",
    "context_rules": "routing.signals.context",
    "complexity_rules": "routing.signals.complexity",
    "modality_rules": "routing.signals.modality",
    "signals": "routing.signals",
    "strategy": "routing.strategy",
    "auto_model_name": "global.router.auto_model_name",
    "include_config_models_in_list": "global.router.include_config_models_in_list",
    "clear_route_cache": "global.router.clear_route_cache",
    "model_selection": "global.router.model_selection",
    "semantic_cache": "global.stores.response_cache",
    "tools": "global.integrations.tools",
    "looper": "global.integrations.looper",
    "api": "global.services.api",
    "observability": "global.services.observability",
    "authz": "global.services.authz",
    "ratelimit": "global.services.ratelimit",
    "response_api": "global.services.response_api",
    "router_replay": "global.services.router_replay",
    "embedding_models": "global.model_catalog.embeddings.semantic",
    "prompt_guard": "global.model_catalog.modules.prompt_guard",
    "classifier": "global.model_catalog.modules.classifier",
    "hallucination_mitigation": "global.model_catalog.modules.hallucination_mitigation",
    "feedback_detector": "global.model_catalog.modules.feedback_detector",
    "external_models": "global.model_catalog.external",
    "bert_model": "global.model_catalog.embeddings.semantic",
    "router": "global.router",
}
"""Top-level keys of the flat documents before v0.3, and where their content lives now."""


def replacement(path: str) -> str | None:
    """What to do about a key that no longer exists; ``None`` when it never did."""
    generic = re.sub(r"\[\d+\]", "[]", path)
    generic = re.sub(r"^recipes\[\]\.routing\.", "routing.", generic)
    for pattern, remedy in REMOVED:
        if re.fullmatch(pattern, generic):
            return remedy
    if generic in FLAT:
        return f"move it to {FLAT[generic]}"
    return None


def flat_era(document: Mapping[str, object], line_of: Mapping[str, int]) -> Problem | None:
    """The problem with a document from before v0.3; ``None`` when it is none."""
    if document.keys() & {"routing", "global", "providers"}:
        return None
    tell_tale = next((key for key in FLAT if key in document), None)
    if tell_tale is None:
        return None
    era, sign = _era(document, tell_tale)
    message = f"is a flat document from before v0.3 ({era}): {sign} tells it"
    remedy = (
        f"rewrite it as v0.3, where {tell_tale} is {FLAT[tell_tale]}; migration comes with a later release"
    )
    return fault(tell_tale, line_of.get(tell_tale, 0), message, remedy)


def _era(document: Mapping[str, object], tell_tale: str) -> tuple[str, str]:
    """Which of the three flat shapes a document has, and the key that shows it."""
    categories = document.get("categories")
    if isinstance(categories, list) and any(isinstance(c, dict) and "model_scores" in c for c in categories):
        return "era A, late 2025", "categories[].model_scores"
    if "mmbert" in str(
        {key: document.get(key) for key in ("embedding_models", "classifier", "prompt_guard")}
    ):
        return "era C, early 2026", "an mmbert key"
    if "decisions" in document:
        return "era B, late 2025", "decisions at the top level"
    return "eras A to C", f"{tell_tale} at the top level"
