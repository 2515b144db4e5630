import pytest

from pointsman.core.rule import Leaf, LeafTrace, Node, NodeTrace, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.evaluate import evaluate

MATH, LAW, JAILBREAK = (SignalKey("domain", name) for name in ("math", "law", "jailbreak"))
SIGNALS = SignalSet.of(
    [
        Signal(MATH, matched=True, confidence=0.9),
        Signal(LAW, matched=True, confidence=0.5),
        Signal(JAILBREAK, matched=False, error="EncoderBusy"),
    ]
)


def test_confidence_of_and_is_the_mean() -> None:
    """AND is as confident as its conditions are on average."""
    assert evaluate(Node(Operator.AND, (Leaf(MATH), Leaf(LAW))), SIGNALS).confidence == pytest.approx(0.7)


def test_confidence_of_or_is_the_best() -> None:
    """OR is as confident as its best matching condition."""
    assert evaluate(Node(Operator.OR, (Leaf(LAW), Leaf(MATH))), SIGNALS).confidence == 0.9


def test_an_empty_rule_matches_without_confidence() -> None:
    """An AND of nothing is a catch-all with confidence 0."""
    trace = evaluate(Node(Operator.AND), SignalSet())
    assert (trace.matched, trace.confidence) == (True, 0.0)


def test_an_or_of_nothing_never_matches() -> None:
    """An OR needs something that holds."""
    assert not evaluate(Node(Operator.OR), SIGNALS).matched


def test_a_guard_does_not_hold_because_its_detector_failed() -> None:
    """NOT over a failed signal matches no more than the signal itself, and the trace says why."""
    trace = evaluate(Node(Operator.NOT, (Leaf(JAILBREAK),)), SIGNALS)
    assert isinstance(trace, NodeTrace)
    assert not trace.matched
    assert trace.conditions == (LeafTrace(JAILBREAK, matched=False, confidence=0.0, error="EncoderBusy"),)


def test_a_failure_does_not_matter_where_the_rest_decides() -> None:
    """A rule that holds whatever the failed signal would have been does hold."""
    assert evaluate(Node(Operator.OR, (Leaf(JAILBREAK), Leaf(MATH))), SIGNALS).matched


def test_a_signal_nobody_computed_counts_as_failed() -> None:
    """NOT over a signal that is missing from the set does not hold."""
    assert not evaluate(Node(Operator.NOT, (Leaf(MATH),)), SignalSet()).matched
