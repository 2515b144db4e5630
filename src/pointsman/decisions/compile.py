"""Rule trees of the document turned into core rules, and the signals they ask for."""

from collections.abc import Iterable, Iterator

from pointsman.config.conditions import Condition, Predicate
from pointsman.config.conditions import Rule as DocumentRule
from pointsman.core.decision import Decision
from pointsman.core.rule import Leaf, Node, Operator, Rule
from pointsman.core.signal import SignalKey

ALWAYS = Node(Operator.AND)
"""The rule of a decision without one."""


def compile_rule(rule: DocumentRule | None) -> Rule:
    """The core rule of a ``rules`` block; a missing one matches always.

    A node without operator means OR. A node with neither operator nor conditions is an empty rule, which
    matches always, while an OR of nothing that was spelled out matches never. Raises ValueError for a NOT
    that has not exactly one condition, which loading a document refuses.
    """
    if rule is None:
        return ALWAYS
    if isinstance(rule, Condition):
        return Leaf(signal_key(rule))
    if not rule.conditions and "operator" not in rule.model_fields_set:
        return ALWAYS
    if rule.operator is Operator.NOT and len(rule.conditions) != 1:
        raise ValueError(f"NOT takes exactly one condition, got {len(rule.conditions)}")
    return Node(rule.operator, tuple(compile_rule(condition) for condition in rule.conditions))


def signal_key(condition: Condition) -> SignalKey:
    """The signal a condition asks for; a classifier's label and bounds are part of its name."""
    label = f":{condition.label}" if condition.label else ""
    return SignalKey(condition.type, f"{condition.name}{label}{_bounds(condition.predicate)}")


def referenced(decisions: Iterable[Decision]) -> frozenset[SignalKey]:
    """Every signal that some decision's rule asks for: no other need be computed."""
    return frozenset(key for decision in decisions for key in keys(decision.rule))


def keys(rule: Rule) -> Iterator[SignalKey]:
    """The signal of every leaf, in order, repeated where the rule repeats it."""
    if isinstance(rule, Leaf):
        yield rule.key
    else:
        for condition in rule.conditions:
            yield from keys(condition)


def _bounds(predicate: Predicate | None) -> str:
    if predicate is None:
        return ""
    bounds = predicate.model_dump(exclude_none=True)
    return "[" + ",".join(f"{name}={bound!r}" for name, bound in bounds.items()) + "]"
