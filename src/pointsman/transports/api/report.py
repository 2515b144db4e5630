"""Rulings in the shapes of the management API."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from pointsman.core.decision import DecisionTrace
from pointsman.core.rule import Leaf, LeafTrace, Rule, RuleTrace
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Trace
from pointsman.transports.api.shapes import (
    Classification,
    DecisionEvaluation,
    DecisionResult,
    EvalDecision,
    EvalResponse,
    FamilyMetrics,
    IntentResponse,
    Options,
)

OTHER = "other"
"""The category of a text about which nothing is known."""
_PLURAL = {"keyword": "keywords", "embedding": "embeddings", "domain": "domains", "preference": "preferences"}
"""Families whose key in `matched_signals` is not their name."""


def intent_response(
    trace: Trace, domains: Mapping[str, float], options: Options, *, elapsed_ms: int
) -> IntentResponse:
    """The answer of `classify/intent`; `domains` may be empty when a decision matched."""
    match = trace.match
    decision = match.decision if match else None
    if match is not None and decision is not None:
        category, confidence = decision.name, match.confidence
    else:
        category, confidence = strongest(domains)
    return IntentResponse(
        classification=Classification(category, confidence, elapsed_ms),
        probabilities=dict(domains) if options.return_probabilities else None,
        recommended_model=trace.selection.candidate.target.name if trace.selection else "",
        routing_decision=decision.name if decision else certainty(confidence, options),
        matched_signals=by_family(signal.key for signal in trace.signals if signal.matched),
        decision_result=_decision_result(trace),
        signal_errors=_errors(trace.signals),
        eval_trace=_evaluations(trace) if options.trace else None,
    )


def eval_response(trace: Trace, options: Options) -> EvalResponse:
    """The answer of `eval`."""
    match = trace.match
    decision = match.decision if match else None
    request, selection = trace.request, trace.selection
    return EvalResponse(
        original_text=request.text if request else "",
        requested_model=request.model if request else "",
        decision_result=EvalDecision(
            decision_name=decision.name if decision else "",
            algorithm=(decision.algorithm or "static") if decision else "",
            plugins=[getattr(plugin, "type", "") for plugin in decision.plugins] if decision else [],
            used_signals=by_family(_leaves(decision.rule)) if decision else {},
            matched_signals=by_family(signal.key for signal in trace.signals if signal.matched),
            unmatched_signals=by_family(signal.key for signal in trace.signals if not signal.matched),
        ),
        recommended_models=[candidate.target.name for candidate in decision.candidates] if decision else [],
        selected_model=selection.candidate.target.name if selection else "",
        selection_status=_selection_status(trace),
        selection_method=selection.algorithm if selection else "",
        selection_reason=trace.error,
        routing_decision=decision.name if decision else "",
        metrics=_family_metrics(trace.signals),
        signal_confidences={str(s.key): s.confidence for s in trace.signals if not s.error},
        signal_errors=_errors(trace.signals),
        eval_trace=_evaluations(trace) if options.trace else None,
    )


def strongest(domains: Mapping[str, float]) -> tuple[str, float]:
    """The most probable domain and its probability."""
    if not domains:
        return OTHER, 0.0
    label = max(domains, key=lambda name: domains[name])
    return label, domains[label]


def certainty(confidence: float, options: Options) -> str:
    """The semantic router's two words for how sure a category is."""
    sure = confidence >= options.confidence_threshold
    return "high_confidence_specialized" if sure else "low_confidence_general"


def by_family(keys: Iterable[SignalKey]) -> dict[str, list[str]]:
    """Names of signals, sorted, under their family's key in the semantic router's answers."""
    grouped: dict[str, list[str]] = {}
    for key in sorted(set(keys)):
        grouped.setdefault(_PLURAL.get(key.family, key.family), []).append(key.name)
    return grouped


def _decision_result(trace: Trace) -> DecisionResult | None:
    if trace.match is None or trace.match.decision is None:
        return None
    name = trace.match.decision.name
    rules = [
        leaf for evaluated in trace.match.traces if evaluated.name == name for leaf in _held(evaluated.rule)
    ]
    return DecisionResult(name, trace.match.confidence, list(dict.fromkeys(rules)))


def _held(rule: RuleTrace) -> Iterator[str]:
    if isinstance(rule, LeafTrace):
        if rule.matched:
            yield str(rule.key)
    else:
        for condition in rule.conditions:
            yield from _held(condition)


def _leaves(rule: Rule) -> Iterator[SignalKey]:
    if isinstance(rule, Leaf):
        yield rule.key
    else:
        for condition in rule.conditions:
            yield from _leaves(condition)


def _evaluations(trace: Trace) -> list[DecisionEvaluation]:
    return [_evaluation(evaluated) for evaluated in trace.match.traces] if trace.match else []


def _evaluation(evaluated: DecisionTrace) -> DecisionEvaluation:
    tree: dict[str, Any] = msgspec.to_builtins(evaluated.rule)
    return DecisionEvaluation(
        decision_name=evaluated.name,
        matched=evaluated.matched,
        confidence=evaluated.confidence,
        priority=evaluated.priority,
        tier=evaluated.tier,
        root_trace=tree,
    )


def _selection_status(trace: Trace) -> str:
    if trace.selection is None:
        return "unavailable"
    return "fallback" if trace.selection.algorithm == "default" else "selected"


def _family_metrics(signals: SignalSet) -> dict[str, FamilyMetrics]:
    families: dict[str, list[Signal]] = {}
    for signal in signals:
        families.setdefault(signal.key.family, []).append(signal)
    return {
        family: FamilyMetrics(
            execution_time_ms=round(sum(signal.cost_us for signal in members) / 1e3, 3),
            confidence=max(signal.confidence for signal in members),
        )
        for family, members in families.items()
    }


def _errors(signals: SignalSet) -> dict[str, str]:
    return {str(signal.key): signal.error for signal in signals if signal.error}
