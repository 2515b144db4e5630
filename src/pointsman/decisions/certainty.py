"""What is certain about confidences before any is known.

What is found or not has confidence 1 when it matches: a keyword, a role, a length, a band of a score. Any
other matched signal may have anything from 0 to 1 (keywords that are scored among them), so one rule's
confidence is compared with another's by bounds and by form; where neither settles it, nothing is claimed.
"""

from collections.abc import Set as AbstractSet

from pointsman.core.rule import Leaf, Operator, Rule
from pointsman.core.signal import SignalKey

_ALWAYS_ONE = frozenset(
    {"keyword", "context", "structure", "conversation", "metadata", "authz", "projection"}
)
"""Families whose matches have confidence 1, but for their graded signals."""

Holding = AbstractSet[SignalKey]
"""The signals that match, all others not."""
Graded = AbstractSet[SignalKey]
"""The signals of such families that have a confidence of their own."""
_NONE: Graded = frozenset()


def holds(rule: Rule, holding: Holding) -> bool:
    """Whether a rule matches."""
    if isinstance(rule, Leaf):
        return rule.key in holding
    outcomes = [holds(condition, holding) for condition in rule.conditions]
    if rule.operator is Operator.NOT:
        return not outcomes[0]
    return all(outcomes) if rule.operator is Operator.AND else any(outcomes)


def bounds(rule: Rule, holding: Holding, graded: Graded = _NONE) -> tuple[float, float]:
    """The least and the greatest confidence a rule that matches can have."""
    if isinstance(rule, Leaf):
        sure = rule.key.family in _ALWAYS_ONE and rule.key not in graded
        return (1.0 if sure else 0.0, 1.0)
    if rule.operator is Operator.NOT:
        return (1.0, 1.0)
    matching = [
        bounds(condition, holding, graded) for condition in rule.conditions if holds(condition, holding)
    ]
    lows, highs = [low for low, _ in matching], [high for _, high in matching]
    if rule.operator is Operator.OR:
        return (max(lows), max(highs))
    # The sum is formed as evaluation forms it, so that rounding cannot put a confidence outside.
    count = len(matching) or 1
    return (sum(lows) / count, sum(highs) / count)


def at_least(one: Rule, other: Rule, holding: Holding, graded: Graded = _NONE) -> bool:
    """Whether ``one`` is certainly no less confident than ``other``; both match."""
    if one == other or bounds(one, holding, graded)[0] >= bounds(other, holding, graded)[1]:
        return True
    if not isinstance(other, Leaf) and _is_best_of(other):
        return all(at_least(one, part, holding, graded) for part in other.conditions if holds(part, holding))
    if not isinstance(one, Leaf) and _is_best_of(one):
        return any(at_least(part, other, holding, graded) for part in one.conditions if holds(part, holding))
    return False


def more_than(one: Rule, other: Rule, holding: Holding, graded: Graded = _NONE) -> bool:
    """Whether ``one`` is certainly more confident than ``other``; both match."""
    return bounds(one, holding, graded)[0] > bounds(other, holding, graded)[1]


def equal(one: Rule, other: Rule, holding: Holding, graded: Graded = _NONE) -> bool:
    """Whether both certainly have the same confidence; both match."""
    return at_least(one, other, holding, graded) and at_least(other, one, holding, graded)


def _is_best_of(rule: Rule) -> bool:
    """Whether a node's confidence is the greatest among its matching conditions'."""
    if isinstance(rule, Leaf) or rule.operator is Operator.NOT:
        return False
    return rule.operator is Operator.OR or len(rule.conditions) == 1
