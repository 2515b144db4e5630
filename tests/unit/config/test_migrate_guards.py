"""Whatever was blocked before is blocked after: guards against the decisions they were taken from."""

from collections.abc import Mapping
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.config import parse
from pointsman.config.document import Settings
from pointsman.config.migration import migrate
from pointsman.core.decision import Decision
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.compile import compile_rule
from pointsman.decisions.rank import choose

_LEAVES = [
    {"type": "domain", "name": "math"},
    {"type": "domain", "name": "law"},
    {"type": "keyword", "name": "k"},
]
_RULES = st.none() | st.builds(
    lambda operator, conditions: {"operator": operator if conditions else "AND", "conditions": conditions},
    st.sampled_from(["AND", "OR"]),
    st.lists(st.sampled_from(_LEAVES), max_size=2),
)
_TYPES = st.lists(st.sampled_from(["PERSON", "US_SSN"]), max_size=2, unique=True)
_PLUGINS = st.tuples(
    st.none()
    | st.fixed_dictionaries({"enabled": st.booleans()}, optional={"threshold": st.sampled_from([0.5, 0.9])}),
    st.none() | st.fixed_dictionaries({"enabled": st.booleans(), "pii_types_allowed": _TYPES}),
)
_ROUTES = st.lists(st.tuples(_RULES, st.integers(0, 2), _PLUGINS), max_size=4)


def _flat(routes: list[Any], strategy: str, guarded: bool | None) -> dict[str, Any]:
    decisions = []
    for index, (rules, priority, (jailbreak, pii)) in enumerate(routes):
        plugins = [
            {"type": kind, "configuration": settings}
            for kind, settings in (("jailbreak", jailbreak), ("pii", pii))
            if settings is not None
        ]
        decision = {
            "name": f"d{index}",
            "priority": priority,
            "modelRefs": [{"model": "m"}],
            "plugins": plugins,
        }
        decisions.append(decision if rules is None else {**decision, "rules": rules})
    document = {
        "model_config": {"m": {}},
        "vllm_endpoints": [{"name": "e", "address": "10.0.0.1", "port": 8000}],
        "default_model": "m",
        "strategy": strategy,
        "categories": [{"name": "math"}, {"name": "law"}],
        "keyword_rules": [{"name": "k", "operator": "OR", "keywords": ["k"]}],
        "decisions": decisions,
    }
    return (
        document if guarded is None else {**document, "prompt_guard": {"enabled": guarded, "threshold": 0.7}}
    )


def _blocked(flat: Mapping[str, Any], chosen: str, score: float, found: set[str]) -> bool:
    """What the semantic router of the time did with a request that a decision was chosen for."""
    guard = flat.get("prompt_guard", {})
    decision: Mapping[str, Any] = next((d for d in flat["decisions"] if d["name"] == chosen), {})
    plugins = {plugin["type"]: plugin["configuration"] for plugin in decision.get("plugins", ())}
    jailbreak = plugins.get("jailbreak", guard)
    on = jailbreak.get("enabled", False) and guard.get("enabled", True)
    pii = plugins.get("pii", {"enabled": False})
    return (on and score >= jailbreak.get("threshold", 0.7)) or (
        pii["enabled"] and bool(found - set(pii["pii_types_allowed"]))
    )


def _winner(loaded: Settings, signals: SignalSet, *, guards: bool) -> str:
    decisions = [
        Decision(d.name, compile_rule(d.rules), priority=d.priority, tier=d.tier)
        for d in loaded.routing.decisions
        if guards or not d.name.endswith(("_guard", "_guard_2", "_guard_3", "_guard_4"))
    ]
    chosen = choose(decisions, signals, loaded.strategy()).decision
    return chosen.name if chosen else ""


def _observed(loaded: Settings, truths: list[float], score: float, found: set[str]) -> SignalSet:
    rules = loaded.routing.signals
    known = [SignalKey(leaf["type"], leaf["name"]) for leaf in _LEAVES]
    return SignalSet.of(
        [
            *(Signal(key, c > 0.0, c) for key, c in zip(known, truths, strict=True)),
            *(Signal(SignalKey("jailbreak", r.name), score >= r.threshold, score) for r in rules.jailbreak),
            *(
                Signal(SignalKey("pii", r.name), bool(found - set(r.pii_types_allowed)), 0.5)
                for r in rules.pii
            ),
        ]
    )


@settings(max_examples=150, deadline=None)
@given(
    _ROUTES,
    st.sampled_from(["priority", "confidence"]),
    st.sampled_from([None, True, False]),
    st.lists(st.sampled_from([0.0, 0.6, 1.0]), min_size=3, max_size=3),
    st.sampled_from([0.1, 0.6, 0.8, 0.95]),
    st.sets(st.sampled_from(["PERSON", "US_SSN"])),
)
def test_what_was_blocked_stays_blocked(
    routes: list[Any],
    strategy: str,
    guarded: bool | None,
    truths: list[float],
    score: float,
    found: set[str],
) -> None:
    """Blocked then is blocked now, whatever the decisions, guards and request; passing everywhere still passes."""
    flat = _flat(routes, strategy, guarded)
    loaded = parse(yaml.safe_dump(migrate(flat).document), {})
    signals = _observed(loaded, truths, score, found)
    then = _blocked(flat, _winner(loaded, signals, guards=False), score, found)
    now = "_guard" in _winner(loaded, signals, guards=True)
    assert now or not then
    policies = {_blocked(flat, f"d{index}", score, found) for index in range(len(routes))}
    if policies | {_blocked(flat, "", score, found)} == {False}:
        assert not now
