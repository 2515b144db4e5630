"""The migration as a whole: an old mapping in, a new one and an account of every key out."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pointsman.config.migration.categories import category_routes, ignored_policies, unreached
from pointsman.config.migration.decisions import decision_routes
from pointsman.config.migration.flat import FlatDocument, era_of
from pointsman.config.migration.guards import add_guards
from pointsman.config.migration.ledger import Change, Ledger, Migration
from pointsman.config.migration.models import move_models
from pointsman.config.migration.places import move_all
from pointsman.config.migration.routes import Guards, Route, guards_of, is_on
from pointsman.config.migration.signals import move_signals
from pointsman.config.translate import translate
from pointsman.core.errors import ConfigError

_ORDER = ("version", "listeners", "providers", "routing", "global", "guards", "fleet", "gateway")
_ROUTING_ORDER = ("strategy", "modelCards", "signals", "projections", "decisions")


def migrate(
    old: Mapping[str, Any], *, lines: Mapping[str, int] | None = None, endpoint: str = ""
) -> Migration:
    """The v0.3 document that does what a flat one did, as far as a document can say it.

    ``lines`` are line numbers by key path, for errors; ``endpoint`` (``host:port``) serves models for which
    the document names none. Raises ConfigError when the old document has keys or shapes that no flat era had.
    ``old`` itself is not changed. Whether the result runs is for ``load`` to say.
    """
    try:
        FlatDocument.model_validate(dict(old), by_alias=True, by_name=False)
    except ValidationError as error:
        raise ConfigError(translate(error, FlatDocument, lines or {}), "the flat document") from None
    ledger = Ledger()
    move_models(old, ledger, endpoint)
    move_all(old, ledger)
    guards = guards_of(old)
    routes = _routes(old, guards, ledger)
    for route in routes:
        where = ledger.append("routing.decisions", dict(route.decision), route.origin)
        for path, below, note in route.kept:
            ledger.moved(path, where + below, note)
    add_guards(old, routes, guards, ledger)
    _unguarded(old, ledger)
    document = _arranged(ledger.document)
    return Migration(era_of(old), document, tuple(dict.fromkeys(ledger.changes)))


def _routes(old: Mapping[str, Any], guards: Guards, ledger: Ledger) -> list[Route]:
    keywords, domains = move_signals(old, ledger)
    if old.get("decisions"):
        ignored_policies(old, ledger)
        return decision_routes(old, guards)
    routes = category_routes(old, keywords, domains, guards, ledger)
    unreached(old, routes, ledger)
    return routes


def _unguarded(old: Mapping[str, Any], ledger: Ledger) -> None:
    """Say of guard settings that no guard came of, so that nobody takes them for one."""
    accounted = {change.path_old for change in ledger.changes}
    for path, note in _silent(old):
        if path not in accounted:
            ledger.changes.append(Change(path, "", note))
    if is_on(old.get("prompt_guard", {}).get("enabled", False)) and "prompt_guard.enabled" not in accounted:
        note = "no guard by itself: the document's own jailbreak rules decide"
        ledger.moved("prompt_guard.enabled", "global.model_catalog.modules.prompt_guard.enabled", note)


def _silent(old: Mapping[str, Any]) -> list[tuple[str, str]]:
    off = "no guard here: it was off, or everything was allowed"
    found = [
        (f"model_config.{name}.pii_policy", off)
        for name, model in old.get("model_config", {}).items()
        if "pii_policy" in model
    ]
    for index, holder in enumerate(old.get("decisions", ())):
        for position, plugin in enumerate(holder.get("plugins", ())):
            if plugin["type"] in {"pii", "jailbreak"}:
                found.append((f"decisions[{index}].plugins[{position}]", off))
    for index, category in enumerate(old.get("categories", ())):
        found.extend(
            (f"categories[{index}].{key}", off)
            for key in ("jailbreak_enabled", "jailbreak_threshold", "pii_enabled", "pii_threshold")
            if key in category
        )
    return found


def _arranged(document: Mapping[str, Any]) -> dict[str, Any]:
    """The sections in the order in which they are read best, what is unknown last."""
    out = {key: document[key] for key in (*_ORDER, *document) if key in document}
    if "routing" in out:
        routing = out["routing"]
        out["routing"] = {key: routing[key] for key in (*_ROUTING_ORDER, *routing) if key in routing}
    return out
