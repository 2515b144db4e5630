from typing import Any

import pytest

from pointsman.config.decisions import Decision as DocumentDecision
from pointsman.core.decision import Decision
from pointsman.core.rule import Leaf, Node, Operator, Rule
from pointsman.core.signal import SignalKey
from pointsman.decisions.compile import compile_rule, referenced

MATH = {"type": "domain", "name": "math"}
THINK = {"type": "keyword", "name": "thinking"}


def compiled(rules: Any) -> Rule:
    """The core rule of a decision's ``rules`` block."""
    return compile_rule(DocumentDecision.model_validate({"name": "d", "rules": rules}).rules)


def test_a_missing_operator_means_or() -> None:
    """Conditions without an operator are alternatives."""
    assert compiled({"conditions": [MATH, THINK]}) == Node(
        Operator.OR, (Leaf(SignalKey("domain", "math")), Leaf(SignalKey("keyword", "thinking")))
    )


@pytest.mark.parametrize("rules", [None, {}, {"conditions": []}, {"operator": "AND", "conditions": []}])
def test_no_conditions_mean_always(rules: Any) -> None:
    """A missing or empty rule is a catch-all."""
    assert compiled(rules) == Node(Operator.AND)


def test_an_or_of_nothing_stays_one() -> None:
    """An empty OR that is spelled out does not become a catch-all."""
    assert compiled({"operator": "OR", "conditions": []}) == Node(Operator.OR)


def test_trees_nest() -> None:
    """Nodes hold nodes, and a single condition may stand alone."""
    assert compiled(MATH) == Leaf(SignalKey("domain", "math"))
    assert compiled({"operator": "NOT", "conditions": [{"operator": "AND", "conditions": [MATH]}]}) == Node(
        Operator.NOT, (Node(Operator.AND, (Leaf(SignalKey("domain", "math")),)),)
    )


def test_conditions_on_different_scores_of_a_classifier_are_different_signals() -> None:
    """A classifier's label and bounds belong to what a condition asks."""
    base = {"type": "classifier", "name": "tone", "label": "rude"}
    soft, hard = ({**base, "predicate": {"gte": bound}} for bound in (0.5, 0.9))
    assert compiled(soft) != compiled(hard)


def test_only_signals_of_some_rule_are_referenced() -> None:
    """The signals to compute are those of all leaves of all decisions."""
    decisions = [Decision("a", compiled({"conditions": [MATH, THINK]})), Decision("b", compiled(None))]
    assert referenced(decisions) == {SignalKey("domain", "math"), SignalKey("keyword", "thinking")}
