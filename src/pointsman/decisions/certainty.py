"""What is certain about confidences before any is known.

A matched keyword has confidence 1. Any other matched signal may have anything from 0 to 1, so one rule's
confidence is compared with another's by bounds and by form; where neither settles it, nothing is claimed.
"""

from collections.abc import Set as AbstractSet

from pointsman.core.rule import Leaf, Operator, Rule
from pointsman.core.signal import SignalKey

_ALWAYS_ONE = frozenset({"keyword"})
"""Families whose matches have confidence 1."""

Holding = AbstractSet[SignalKey]
"""The signals that match, all others not."""


def holds(rule: Rule, holding: Holding) -> bool:
    """Whether a rule matches."""
    if isinstance(rule, Leaf):
        return rule.key in holding
    outcomes = [holds(condition, holding) for condition in rule.conditions]
    if rule.operator is Operator.NOT:
        return not outcomes[0]
    return all(outcomes) if rule.operator is Operator.AND else any(outcomes)


def bounds(rule: Rule, holding: Holding) -> tuple[float, float]:
    """The least and the greatest confidence a rule that matches can have."""
    if isinstance(rule, Leaf):
        return (1.0 if rule.key.family in _ALWAYS_ONE else 0.0, 1.0)
    if rule.operator is Operator.NOT:
        return (1.0, 1.0)
    matching = [bounds(condition, holding) for condition in rule.conditions if holds(condition, holding)]
    lows, highs = [low for low, _ in matching], [high for _, high in matching]
    if rule.operator is Operator.OR:
        return (max(lows), max(highs))
    # The sum is formed as evaluation forms it, so that rounding cannot put a confidence outside.
    count = len(matching) or 1
    return (sum(lows) / count, sum(highs) / count)


def at_least(one: Rule, other: Rule, holding: Holding) -> bool:
    """Whether ``one`` is certainly no less confident than ``other``; both match."""
    if one == other or bounds(one, holding)[0] >= bounds(other, holding)[1]:
        return True
    if not isinstance(other, Leaf) and _is_best_of(other):
        return all(at_least(one, part, holding) for part in other.conditions if holds(part, holding))
    if not isinstance(one, Leaf) and _is_best_of(one):
        return any(at_least(part, other, holding) for part in one.conditions if holds(part, holding))
    return False


def more_than(one: Rule, other: Rule, holding: Holding) -> bool:
    """Whether ``one`` is certainly more confident than ``other``; both match."""
    return bounds(one, holding)[0] > bounds(other, holding)[1]


def equal(one: Rule, other: Rule, holding: Holding) -> bool:
    """Whether both certainly have the same confidence; both match."""
    return at_least(one, other, holding) and at_least(other, one, holding)


def _is_best_of(rule: Rule) -> bool:
    """Whether a node's confidence is the greatest among its matching conditions'."""
    if isinstance(rule, Leaf) or rule.operator is Operator.NOT:
        return False
    return rule.operator is Operator.OR or len(rule.conditions) == 1
