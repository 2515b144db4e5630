"""Eras B and C: decisions stay decisions; their pii and jailbreak plugins become guards."""

from collections.abc import Mapping
from typing import Any

from pointsman.config.migration.routes import OFF, Guards, PiiGuard, Route, is_on, number
from pointsman.config.migration.rules import renamed
from pointsman.config.plugins import RESPONSE_CACHE_NAMES


def decision_routes(old: Mapping[str, Any], guards: Guards) -> list[Route]:
    """A route for each decision, as it is but for its guards."""
    return [
        _route(decision, f"decisions[{index}]", guards)
        for index, decision in enumerate(old.get("decisions", ()))
    ]


def _route(decision: Mapping[str, Any], origin: str, guards: Guards) -> Route:
    new = dict(decision)
    jailbreak = guards.jailbreak
    models = [guards.label(ref) for ref in decision.get("modelRefs", ())]
    pii = guards.pii_chain(models)
    plugins: list[dict[str, Any]] = []
    kept: list[tuple[str, str, str]] = []
    for index, plugin in enumerate(decision.get("plugins", ())):
        settings = plugin.get("configuration", {})
        path = f"{origin}.plugins[{index}]"
        if plugin["type"] == "jailbreak":
            jailbreak = _jailbreak(settings, guards)
        elif plugin["type"] == "pii":
            pii = _pii(settings, guards)
        else:
            plugin_now, note = _plugin(plugin, settings)
            kept.append((path, f".plugins[{len(plugins)}]", note))
            plugins.append(plugin_now)
    if "plugins" in decision:
        new["plugins"] = plugins
    if "rules" in decision:
        new["rules"] = renamed(decision["rules"])
    rule = new.get("rules")
    # An OR of nothing matches never; every other rule of nothing matches always.
    empty = not rule or not ("type" in rule or rule.get("conditions"))
    always = empty and (not rule or rule.get("operator", "AND") == "AND")
    return Route(origin, None if always else rule, new, jailbreak, pii, tuple(kept))


def _jailbreak(settings: Mapping[str, Any], guards: Guards) -> float | None:
    if not is_on(settings.get("enabled", False)) or guards.jailbreak_denied:
        return OFF
    given = number(settings.get("threshold"))
    return guards.jailbreak_threshold if given is None else given


def _pii(settings: Mapping[str, Any], guards: Guards) -> PiiGuard | None:
    if not is_on(settings.get("enabled", False)):
        return OFF
    given = number(settings.get("threshold"))
    allowed = settings.get("pii_types_allowed", ())
    chain = (tuple(str(kind) for kind in allowed) if isinstance(allowed, list) else (),)
    return PiiGuard(guards.pii_threshold if given is None else given, chain)


def _plugin(plugin: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A plugin of today, and what was written out that used to be the default."""
    if plugin["type"] in RESPONSE_CACHE_NAMES:
        note = "" if "scope" in settings else "scope global: all users shared the answers"
        cache = {**settings, "scope": settings.get("scope", "global")}
        return {"type": RESPONSE_CACHE_NAMES[0], "configuration": cache}, note
    if plugin["type"] == "system_prompt" and not settings.get("mode"):
        return {**plugin, "configuration": {**settings, "mode": "replace"}}, "mode replace was the default"
    return dict(plugin), ""
