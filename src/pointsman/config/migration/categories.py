"""Era A: each category is a route, with its candidates, its prompt, its cache and its guards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pointsman.config.migration.ledger import Ledger
from pointsman.config.migration.routes import OFF, Guards, Route, is_on, number
from pointsman.config.migration.signals import Found

_DOMAIN_PRIORITY: Final = 10
"""Rank of routes by subject, as the semantic router's own v0.3 values have it."""
_KEYWORD_PRIORITY: Final = 20
"""Lowest rank of routes by keyword: keywords were asked before the classifier."""
_REF: Final = ("model", "lora_name", "use_reasoning", "reasoning_description", "reasoning_effort")
_POLICIES: Final = (
    "system_prompt",
    "system_prompt_enabled",
    "system_prompt_mode",
    "semantic_cache_enabled",
    "semantic_cache_similarity_threshold",
    "jailbreak_enabled",
    "jailbreak_threshold",
    "pii_enabled",
    "pii_threshold",
)


def category_routes(
    old: Mapping[str, Any],
    keywords: Sequence[Found],
    domains: Sequence[Found],
    guards: Guards,
    ledger: Ledger,
) -> list[Route]:
    """A route for each domain and each keyword rule, the first keyword rule ranking highest."""
    by_name = {
        category["name"]: (f"categories[{index}]", category)
        for index, category in reversed(list(enumerate(old.get("categories", ()))))
    }
    ranked = [
        *((found, _DOMAIN_PRIORITY, "") for found in domains),
        *(
            (found, _KEYWORD_PRIORITY + len(keywords) - 1 - index, "_keywords")
            for index, found in enumerate(keywords)
        ),
    ]
    routes: list[Route] = []
    for found, priority, suffix in ranked:
        origin, category = by_name.get(found.category, (found.origin, {}))
        if not category.get("model_scores") and not guards.default_model:
            ledger.left(found.origin, "the signal leads nowhere: no model_scores and no default_model")
            continue
        taken = {route.decision["name"] for route in routes}
        wanted = f"{found.category.replace(' ', '_')}{suffix}_decision"
        name = next(n for n in (wanted, *(f"{wanted}_{i}" for i in range(2, 9999))) if n not in taken)
        routes.append(_route(name, priority, found, origin, category, old, guards))
    return routes


def unreached(old: Mapping[str, Any], routes: Sequence[Route], ledger: Ledger) -> None:
    """Say of categories that no route came of, and of requests that match none."""
    reached = {route.origin for route in routes}
    for index, category in enumerate(old.get("categories", ())):
        path = f"categories[{index}]"
        if path not in reached and category.keys() - {"name", "description", "mmlu_categories"}:
            ledger.left(path, "left out: nothing leads to it, or no model answers it")
    if routes and is_on(old.get("semantic_cache", {}).get("enabled", False)):
        ledger.moved(
            "semantic_cache.enabled",
            "global.stores.response_cache.enabled",
            "requests that match no decision are no longer cached",
        )


def ignored_policies(old: Mapping[str, Any], ledger: Ledger) -> None:
    """Policies of categories beside decisions, which had taken over."""
    for index, category in enumerate(old.get("categories", ())):
        for key in _POLICIES:
            if key in category:
                ledger.left(f"categories[{index}].{key}", "left out: the plugins of decisions took its place")


def _route(
    name: str,
    priority: int,
    found: Found,
    origin: str,
    category: Mapping[str, Any],
    old: Mapping[str, Any],
    guards: Guards,
) -> Route:
    scores = category.get("model_scores", ())
    refs = [{key: scores[at][key] for key in _REF if key in scores[at]} for at in _order(scores)]
    decision: dict[str, Any] = {"name": name}
    if category.get("description"):
        decision["description"] = category["description"]
    decision |= {
        "priority": priority,
        "rules": {"operator": "OR", "conditions": [found.rule]},
        "modelRefs": refs or [{"model": guards.default_model}],
    }
    plugins = _plugins(category, is_on(old.get("semantic_cache", {}).get("enabled", False)))
    if plugins:
        decision["plugins"] = plugins
    jailbreak = guards.jailbreak
    if "jailbreak_enabled" in category:
        wanted = is_on(category["jailbreak_enabled"]) and not guards.jailbreak_denied
        jailbreak = guards.jailbreak_threshold if wanted else OFF
    if jailbreak is not OFF and "jailbreak_threshold" in category:
        jailbreak = number(category["jailbreak_threshold"])
    looked_for = is_on(category.get("pii_enabled", True)) and number(category.get("pii_threshold")) != 0
    models = [guards.label(ref) for ref in decision["modelRefs"]]
    pii = guards.pii_chain(models, number(category.get("pii_threshold"))) if looked_for else OFF
    return Route(origin, found.rule, decision, jailbreak, pii, tuple(_kept(origin, category, plugins)))


def _kept(
    origin: str, category: Mapping[str, Any], plugins: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:
    """Where the keys of a category are in its decision."""
    if category.get("model_scores"):
        yield f"{origin}.model_scores", ".modelRefs", "best score first; the scores themselves are left out"
        for new, at in enumerate(_order(category["model_scores"])):
            yield f"{origin}.model_scores[{at}]", f".modelRefs[{new}]", ""
    for index, plugin in enumerate(plugins):
        settings = f".plugins[{index}].configuration"
        if plugin["type"] == "system_prompt":
            note = "" if category.get("system_prompt_mode") else "mode replace was the default"
            yield f"{origin}.system_prompt", f"{settings}.system_prompt", note
        elif "semantic_cache_similarity_threshold" in category:
            key = "semantic_cache_similarity_threshold"
            yield f"{origin}.{key}", f"{settings}.similarity_threshold", ""
        if plugin["type"] == "response_cache":
            key = "semantic_cache_enabled"
            yield f"{origin}.{key}", settings, "scope global: all users shared the answers"


def _order(scores: Sequence[Mapping[str, Any]]) -> list[int]:
    """Positions of the candidates, best first, as the document has them where scores are equal."""
    return sorted(range(len(scores)), key=lambda at: -(number(scores[at].get("score")) or 0.0))


def _plugins(category: Mapping[str, Any], cached: bool) -> list[dict[str, Any]]:  # noqa: FBT001 the store's switch
    plugins: list[dict[str, Any]] = []
    if category.get("system_prompt"):
        prompt: dict[str, Any] = {"system_prompt": category["system_prompt"]}
        if "system_prompt_enabled" in category:
            prompt["enabled"] = category["system_prompt_enabled"]
        prompt["mode"] = category.get("system_prompt_mode") or "replace"
        plugins.append({"type": "system_prompt", "configuration": prompt})
    if is_on(category.get("semantic_cache_enabled", cached)):
        cache: dict[str, Any] = {"enabled": True, "scope": "global"}
        if "semantic_cache_similarity_threshold" in category:
            cache["similarity_threshold"] = category["semantic_cache_similarity_threshold"]
        plugins.append({"type": "response_cache", "configuration": cache})
    return plugins
