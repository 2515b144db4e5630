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

Rank = tuple[float, float, float, str]
"""Sorts ascending: the smallest rank wins."""


def choose(decisions: Sequence[Decision], signals: SignalSet, strategy: Strategy) -> Match:
    """Evaluate every decision and take the first in rank of those that matched, if any did."""
    traces = tuple(_trace(decision, signals) for decision in decisions)
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
    sure, important = -confidence, -float(decision.priority)
    if tiered:
        return (_tier(decision), sure, important, decision.name)
    if strategy is Strategy.CONFIDENCE:
        return (0.0, sure, important, decision.name)
    return (0.0, important, sure, decision.name)


def _tier(decision: Decision) -> float:
    return float(decision.tier) if decision.tier > 0 else float("inf")


def _trace(decision: Decision, signals: SignalSet) -> DecisionTrace:
    rule = evaluate(decision.rule, signals)
    return DecisionTrace(
        name=decision.name,
        matched=rule.matched,
        confidence=rule.confidence if rule.matched else 0.0,
        priority=decision.priority,
        tier=decision.tier,
        rule=rule,
    )
