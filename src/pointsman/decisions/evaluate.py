"""Boolean rules over signals, with confidence and a full trace.

Confidence follows the semantic router: a leaf has its signal's, AND the mean of its conditions', OR its
best matching condition's, NOT 1.0. A rule of no conditions (an AND of nothing) always matches, with 0.

A failed signal is neither true nor false but unknown, and only what is certain matches (Kleene's
three-valued logic). So ``NOT jailbreak`` does not hold because the detector was down, while
``OR(jailbreak, keyword)`` still holds by the keyword alone.
"""

from dataclasses import dataclass

from pointsman.core.rule import Leaf, LeafTrace, Node, NodeTrace, Operator, Rule, RuleTrace
from pointsman.core.signal import SignalSet


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A trace and what is certain about it: ``None`` is unknown, because a signal it needs failed."""

    truth: bool | None
    trace: RuleTrace


def evaluate(rule: Rule, signals: SignalSet) -> RuleTrace:
    """The outcome of a rule and of everything in it; no condition is skipped."""
    return _outcome(rule, signals).trace


def truth(rule: Rule, signals: SignalSet) -> bool | None:
    """Whether a rule certainly holds or does not; ``None`` is unknown, because a signal it needs failed."""
    return _outcome(rule, signals).truth


def _outcome(rule: Rule, signals: SignalSet) -> _Outcome:
    if isinstance(rule, Leaf):
        return _leaf(rule, signals)
    return _node(rule, tuple(_outcome(condition, signals) for condition in rule.conditions))


def _leaf(leaf: Leaf, signals: SignalSet) -> _Outcome:
    signal = signals.get(leaf.key)
    # What the document says a failure means is certain; that it failed stays in the trace.
    failed = signal.failed
    matched = signal.matched and not failed
    trace = LeafTrace(leaf.key, matched=matched, confidence=signal.confidence, error=signal.error)
    return _Outcome(None if failed else matched, trace)


def _node(node: Node, outcomes: tuple[_Outcome, ...]) -> _Outcome:
    truths = [outcome.truth for outcome in outcomes]
    if node.operator is Operator.AND:
        truth = _all(truths)
        confidence = _mean([outcome.trace.confidence for outcome in outcomes])
    elif node.operator is Operator.OR:
        truth = _any(truths)
        confidence = max((o.trace.confidence for o in outcomes if o.truth), default=0.0)
    else:
        (only,) = truths  # NOT has exactly one condition; compiling a document sees to it
        truth = None if only is None else not only
        confidence = 1.0
    trace = NodeTrace(
        node.operator,
        matched=truth is True,
        confidence=confidence if truth else 0.0,
        conditions=tuple(outcome.trace for outcome in outcomes),
    )
    return _Outcome(truth, trace)


def _all(truths: list[bool | None]) -> bool | None:
    if False in truths:
        return False
    return None if None in truths else True


def _any(truths: list[bool | None]) -> bool | None:
    if True in truths:
        return True
    return None if None in truths else False


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
