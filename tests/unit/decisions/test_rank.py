import pytest

from pointsman.core.decision import Decision, Strategy
from pointsman.core.rule import Leaf, Node, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.rank import choose

SURE, UNSURE, OFF = (SignalKey("keyword", name) for name in ("sure", "unsure", "off"))
SIGNALS = SignalSet.of(
    [
        Signal(SURE, matched=True, confidence=0.9),
        Signal(UNSURE, matched=True, confidence=0.4),
        Signal(OFF, matched=False),
    ]
)


def decide(*decisions: Decision, strategy: Strategy = Strategy.PRIORITY) -> str:
    """The name of the decision that wins."""
    winner = choose(decisions, SIGNALS, strategy).decision
    assert winner is not None
    return winner.name


def decision(name: str, key: SignalKey, priority: int = 0, tier: int = 0) -> Decision:
    """A decision on one signal."""
    return Decision(name, Leaf(key), priority=priority, tier=tier)


def test_priority_outranks_confidence() -> None:
    """Under the strategy priority a less confident decision of higher priority wins."""
    assert decide(decision("a", SURE, 10), decision("b", UNSURE, 20)) == "b"


def test_confidence_breaks_ties_of_priority() -> None:
    """At equal priority the more confident decision wins."""
    assert decide(decision("a", UNSURE, 10), decision("b", SURE, 10)) == "b"


def test_names_break_the_last_tie() -> None:
    """At equal priority and confidence the name that sorts first wins, not the order of the document."""
    assert decide(decision("b", SURE), decision("a", SURE)) == "a"


def test_confidence_may_outrank_priority() -> None:
    """Under the strategy confidence the more confident decision wins."""
    assert decide(decision("a", SURE, 10), decision("b", UNSURE, 20), strategy=Strategy.CONFIDENCE) == "a"


@pytest.mark.parametrize("strategy", Strategy)
def test_a_lower_tier_outranks_everything(strategy: Strategy) -> None:
    """Tiers come before confidence and priority, whatever the strategy."""
    assert (
        decide(decision("a", SURE, 20, tier=2), decision("b", UNSURE, 10, tier=1), strategy=strategy) == "b"
    )


def test_no_tier_is_the_last_tier() -> None:
    """A decision without a tier yields to any that has one."""
    assert decide(decision("a", SURE, 99), decision("b", UNSURE, 0, tier=7)) == "b"


def test_a_tier_that_does_not_match_still_makes_the_set_tiered() -> None:
    """Two decisions keep their order whether or not a third one matches."""
    others = [decision("a", UNSURE, 20), decision("b", SURE, 10)]
    assert decide(*others) == "a"
    assert decide(*others, decision("c", OFF, tier=1)) == "b"


def test_nothing_matched_is_no_decision() -> None:
    """Without a match there is no decision, and the traces still say how each one evaluated."""
    match = choose([decision("a", OFF)], SIGNALS, Strategy.PRIORITY)
    assert match.decision is None
    assert [trace.matched for trace in match.traces] == [False]


def test_a_catch_all_wins_when_alone() -> None:
    """A decision without conditions is chosen with confidence 0."""
    match = choose([Decision("all", Node(Operator.AND))], SIGNALS, Strategy.PRIORITY)
    assert match.decision is not None
    assert match.confidence == 0.0
