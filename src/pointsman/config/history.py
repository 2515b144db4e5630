"""Keys that earlier versions of the document had, and what took their place."""

import re
from collections.abc import Mapping
from typing import Final

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
