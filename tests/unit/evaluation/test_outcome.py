from typing import Any

import pytest

from pointsman.core.decision import Decision, Match
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.rule import Node, Operator
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, Reply
from pointsman.evaluation.outcome import NONE, REFUSED, Outcome, outcome_of
from support.evaluated import judged

OUTCOME = Outcome(
    decision="maths", model="large", matched=frozenset({"domain:math"}), failed={"pii:any": "busy"}
)


@pytest.mark.parametrize(
    ("expect", "misses"),
    [
        ({"decision": "maths", "model": "large", "signals": ["domain:math"], "reply": False}, ()),
        ({"decision": "law"}, ("decision maths, expected law",)),
        ({"decision": None}, ("decision maths, expected (none)",)),
        ({"model": "small"}, ("model large, expected small",)),
        ({"signals": ["domain:law"]}, ("domain:law did not match",)),
        ({"signals": ["pii:any"]}, ("pii:any failed: busy",)),
        ({"not_signals": ["pii:any", "domain:law"]}, ("pii:any failed: busy",)),
        ({"not_signals": ["domain:math"]}, ("domain:math matched",)),
        ({"reply": True}, ("went to a model, expected a reply",)),
        (
            {"reply": True, "model": "small"},
            ("model large, expected small", "went to a model, expected a reply"),
        ),
    ],
)
def test_every_difference_is_named(expect: dict[str, Any], misses: tuple[str, ...]) -> None:
    """Only what is expected is judged, and a signal that failed is neither matched nor unmatched."""
    assert judged(expect, OUTCOME).misses == misses


def test_no_decision_is_what_null_expects() -> None:
    """A request that no rule held for meets the expectation of no decision."""
    assert judged({"decision": None}, Outcome(decision=NONE)).misses == ()


def test_a_refused_request_is_a_miss_unless_a_reply_is_expected() -> None:
    """An error is a reply of the router's own."""
    refused = Outcome(decision=REFUSED, status=400, error="bad")
    assert judged({"not_signals": ["a:b"]}, refused).misses == ("refused: bad",)
    assert judged({"reply": False}, refused).misses == ("answered here with status 400, expected a model",)
    assert judged({"reply": True}, refused).misses == ()


def test_what_is_kept_of_a_ruling() -> None:
    """Names, signals and the length of all messages; nothing of the text."""
    target = Target(name="adapter", wire_name="adapter", provider="base")
    request = ChatRequest(
        Dialect.OPENAI_CHAT, "MoM", (Message("system", "x" * 8), Message("user", "y" * 9)), b"{}"
    )
    signals = SignalSet.of(
        [
            Signal(SignalKey("domain", "math"), matched=True),
            Signal(SignalKey("pii", "any"), matched=False, error="busy"),
        ]
    )
    trace = Trace(
        request=request,
        signals=signals,
        match=Match(Decision("maths", Node(Operator.AND)), 0.9),
        selection=Selection(Candidate(target), "single"),
        phases_us={"total": 5.0},
    )
    outcome = outcome_of(Ruling(Forward("base"), trace))
    assert outcome == Outcome(
        decision="maths",
        confidence=0.9,
        model="adapter",
        provider="base",
        matched=frozenset({"domain:math"}),
        failed={"pii:any": "busy"},
        phases_us={"total": 5.0},
        prompt_tokens=5,
    )
    assert outcome_of(Ruling(Reply(400, {}, b""), Trace(error="bad"))).decision == REFUSED
    assert outcome_of(Ruling(Forward("base"), Trace())).decision == NONE
