"""Guards as decisions: signals that find, and decisions above all others that answer in the model's place.

A document cannot say which route *would have been* chosen, so a request that matches several routes is held
to the strictest of them.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from pointsman.config.migration.ledger import Ledger
from pointsman.config.migration.routes import Allowed, Block, Guards, Route, whole
from pointsman.config.migration.rules import Tree, all_of, any_of, leaf, none_of

_JAILBREAK_ANSWER: Final = (
    "I cannot process this request as it appears to contain a potential jailbreak attempt. "
    "Please rephrase it within the usage guidelines."
)
_PII_ANSWER: Final = (
    "I cannot process this request as it appears to contain personal data that must not be sent to this "
    "model. Please remove it and try again."
)
_NOT_GUARDED: Final = "only requests for a virtual model name are decided on, so only they are guarded"

Policy = TypeVar("Policy", bound=Hashable)


class _Names:
    """Names that nothing in the document has yet."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def new(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name


def add_guards(old: Mapping[str, Any], routes: Sequence[Route], guards: Guards, ledger: Ledger) -> None:
    """Write the guards of ``routes`` as signals and decisions that rank above every route."""
    signals = ledger.at("routing.signals") or {}
    taken = {str(rule.get("name")) for rules in signals.values() for rule in rules if isinstance(rule, dict)}
    names = _Names(taken)
    decisions = _Names({str(route.decision.get("name")) for route in routes})
    pii = _PiiSignals(names, ledger)
    _detours(routes, guards, pii, decisions, ledger)
    top = max((whole(d.get("priority")) for d in ledger.at("routing.decisions") or ()), default=0)
    written: list[tuple[dict[str, Any], str, frozenset[str]]] = []
    default = guards.pii_chain(())
    for block, where, held in _grouped(routes, _block, default.block if default else None):
        found = [pii.find(block.threshold, kinds) for kinds in block.allowed]
        rule = all_of([*found, *([where] if where else [])])
        guard = _guard(decisions.new("pii_guard"), top + 10, rule, _PII_ANSWER)
        written.append((guard, "pii", held))
    for threshold, where, held in _grouped(routes, lambda route: route.jailbreak, guards.jailbreak):
        name = names.new("jailbreak")
        signal = {"name": name, "threshold": threshold, "include_history": True}
        ledger.append("routing.signals.jailbreak", signal)
        rule = all_of([leaf("jailbreak", name), *([where] if where else [])])
        written.append(
            (_guard(decisions.new("jailbreak_guard"), top + 20, rule, _JAILBREAK_ANSWER), "jailbreak", held)
        )
    for decision, kind, held in written:
        where_to = ledger.append("routing.decisions", decision)
        for path, note in _sources(old, kind, held, guards):
            ledger.moved(path, where_to, note)
    if written:
        _ahead(old, {decision["name"] for decision, _, _ in written}, ledger)


def _block(route: Route) -> Block | None:
    return route.pii.block if route.pii else None


class _PiiSignals:
    """One signal for each threshold and list of allowed types, written when it is first asked for."""

    def __init__(self, names: _Names, ledger: Ledger) -> None:
        self._names = names
        self._ledger = ledger
        self._known: dict[tuple[float | None, frozenset[str]], str] = {}

    def find(self, threshold: float | None, allowed: Allowed) -> Tree:
        key = (threshold, frozenset(allowed or ()))
        if key not in self._known:
            signal: dict[str, Any] = {"name": self._names.new("pii"), "include_history": True}
            if threshold is not None:
                signal["threshold"] = threshold
            if allowed:
                signal["pii_types_allowed"] = list(allowed)
            self._known[key] = signal["name"]
            self._ledger.append("routing.signals.pii", signal)
        return leaf("pii", self._known[key])


def _detours(
    routes: Sequence[Route], guards: Guards, pii: _PiiSignals, names: _Names, ledger: Ledger
) -> None:
    """Where a further model of the route, or the default model, may see what the first may not."""
    for route in routes:
        policy = route.pii
        if policy is None or len(policy.models) < 2:
            continue
        refs = route.decision["modelRefs"] if route.decision.get("modelRefs") else []
        known = {guards.label(ref): ref for ref in reversed(refs)}
        denied: list[Tree] = []
        for model, allowed in zip(policy.models, policy.chain, strict=True):
            own = None if allowed is None else pii.find(policy.threshold, allowed)
            if denied and own not in denied:
                rule = [*([route.rule] if route.rule else []), *denied, *([none_of([own])] if own else [])]
                decision = {
                    **route.decision,
                    "name": names.new(f"{route.decision['name']}_pii"),
                    "priority": route.priority + 1,
                    "rules": all_of(rule),
                    "modelRefs": [known.get(model, {"model": model})],
                }
                where = ledger.append("routing.decisions", decision)
                ledger.moved(route.origin, where, f"personal data that only {model} may see")
            if own is None:
                break
            denied.append(own)


def _grouped(
    routes: Sequence[Route], policy_of: Callable[[Route], Policy | None], default: Policy | None
) -> list[tuple[Policy, Tree | None, frozenset[str]]]:
    """Each policy with the rule that says where it holds (``None`` is everywhere), and whose it is."""
    held = [policy_of(route) for route in routes]
    policies = dict.fromkeys(policy for policy in (default, *held) if policy is not None)
    groups: list[tuple[Policy, Tree | None, frozenset[str]]] = []
    for policy in policies:
        own = [route.rule for route, of in zip(routes, held, strict=True) if of == policy]
        other = [route.rule for route, of in zip(routes, held, strict=True) if of != policy]
        holders = frozenset(route.origin for route, of in zip(routes, held, strict=True) if of == policy)
        if None in own or (policy == default and not other):
            groups.append((policy, None, holders))
            continue
        where = [rule for rule in own if rule is not None]
        if policy == default and None not in other:
            where.append(none_of([rule for rule in other if rule is not None]))
        if where:
            groups.append((policy, any_of(where), holders))
    return groups


def _guard(name: str, priority: int, rule: Tree, answer: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": "Answers in place of a model; was a setting of its own before v0.3.",
        "priority": priority,
        "rules": rule,
        "plugins": [{"type": "fast_response", "configuration": {"message": answer}}],
    }


def _sources(
    old: Mapping[str, Any], kind: str, held: frozenset[str], guards: Guards
) -> Iterator[tuple[str, str]]:
    """The keys that a guard comes from, with what to know about each; ``held`` are the routes it is for."""
    note = f"blocks as before; {_NOT_GUARDED}"
    if kind == "jailbreak" and guards.jailbreak is not None:
        late = "; late releases asked it only where a rule did: remove the decision to have that"
        yield "prompt_guard.enabled", note + (late if "mmbert" in str(old["prompt_guard"]) else "")
    for name, model in old.get("model_config", {}).items():
        if kind == "pii" and "pii_policy" in model:
            yield f"model_config.{name}.pii_policy", note
    for index, category in enumerate(old.get("categories", ())):
        for key in (f"{kind}_enabled", f"{kind}_threshold"):
            if key in category and f"categories[{index}]" in held:
                yield f"categories[{index}].{key}", "of several that match, the strictest holds"
    for index, holder in enumerate(old.get("decisions", ())):
        for position, plugin in enumerate(holder.get("plugins", ())):
            if plugin["type"] == kind and f"decisions[{index}]" in held:
                yield f"decisions[{index}].plugins[{position}]", note


def _ahead(old: Mapping[str, Any], guards: set[str], ledger: Ledger) -> None:
    """Tiers, where priority alone would not put the guards first."""
    decisions = ledger.at("routing.decisions")
    tiered = any(whole(decision.get("tier")) > 0 for decision in decisions)
    if not tiered and str(old.get("strategy", "priority")) != "confidence":
        return
    for decision in decisions:
        tier = whole(decision.get("tier"))
        decision["tier"] = 1 if decision["name"] in guards else tier + 1 if tier else 0 if tiered else 2
    ledger.moved("strategy", "routing.strategy", "guards are in tier 1, so that no confidence outranks them")
