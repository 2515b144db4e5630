"""The order among matched decisions and the choice of the first.

As in the semantic router: where any decision has a tier, the lower tier comes first, then confidence,
priority, name; without tiers ``priority`` ranks priority, confidence, name and ``confidence`` ranks
confidence, priority, name. Two points it leaves open are settled here:

- Whether a set is tiered depends on all decisions of the document, not on those that happened to match,
  so that the order of two decisions never depends on a third.
- Tier 0 means untiered and comes after every tier, as the default of a field nobody set should.
"""

from collections.abc import Sequence

from pointsman.core.decision import Decision, DecisionTrace, Match, Strategy
from pointsman.core.signal import SignalSet
from pointsman.decisions.evaluate import evaluate

Rank = tuple[float, float, tuple[float, str]]
"""Sorts ascending, so the smallest wins: what counts before confidence, confidence, what counts after."""


def choose(decisions: Sequence[Decision], signals: SignalSet, strategy: Strategy) -> Match:
    """Evaluate every decision and take the first in rank of those that matched, if any did."""
    traces = tuple(decision_trace(decision, signals) for decision in decisions)
    matched = [(decision, trace) for decision, trace in zip(decisions, traces, strict=True) if trace.matched]
    if not matched:
        return Match(None, traces=traces)
    tiered = is_tiered(decisions)
    winner, trace = min(matched, key=lambda pair: rank(pair[0], pair[1].confidence, strategy, tiered=tiered))
    return Match(winner, trace.confidence, traces)


def is_tiered(decisions: Sequence[Decision]) -> bool:
    """Whether tiers decide among these decisions."""
    return any(decision.tier > 0 for decision in decisions)


def rank(decision: Decision, confidence: float, strategy: Strategy, *, tiered: bool) -> Rank:
    """The place of a decision that matched with ``confidence``."""
    before = before_confidence(decision, strategy, tiered=tiered)
    return (before, -confidence, after_confidence(decision, strategy, tiered=tiered))


def before_confidence(decision: Decision, strategy: Strategy, *, tiered: bool) -> float:
    """The part of a rank that counts before confidence."""
    if tiered:
        return float(decision.tier) if decision.tier > 0 else float("inf")
    return 0.0 if strategy is Strategy.CONFIDENCE else -float(decision.priority)


def after_confidence(decision: Decision, strategy: Strategy, *, tiered: bool) -> tuple[float, str]:
    """The part of a rank that counts among equal confidences."""
    spent = strategy is Strategy.PRIORITY and not tiered
    return (0.0 if spent else -float(decision.priority), decision.name)


def decision_trace(decision: Decision, signals: SignalSet) -> DecisionTrace:
    """How one decision evaluates."""
    rule = evaluate(decision.rule, signals)
    return DecisionTrace(
        name=decision.name,
        matched=rule.matched,
        confidence=rule.confidence if rule.matched else 0.0,
        priority=decision.priority,
        tier=decision.tier,
        rule=rule,
    )
