from typing import Any

import pytest

from pointsman.config import parse
from pointsman.config.routing import Routing
from pointsman.core.decision import Decision, Strategy
from pointsman.core.problem import Problem
from pointsman.core.rule import Leaf, Node, Operator
from pointsman.core.signal import SignalKey
from pointsman.decisions.analysis import analyse, analyse_routing, analyse_settings
from pointsman.decisions.shadow import Analysis

FIRST, SECOND = {"type": "keyword", "name": "first"}, {"type": "keyword", "name": "second"}
MATH, LAW, STEM = ({"type": "domain", "name": name} for name in ("math", "law", "stem"))
SIGNALS = {
    "keywords": [{"name": name, "keywords": [name]} for name in ("first", "second")],
    "domains": [{"name": "math"}, {"name": "law"}, {"name": "stem", "mmlu_categories": ["math", "physics"]}],
}


def rule(operator: str, *conditions: Any) -> dict[str, Any]:
    """A node as the document writes it."""
    return {"operator": operator, "conditions": list(conditions)}


def warnings(
    *decisions: dict[str, Any], strategy: Strategy = Strategy.PRIORITY, unused: bool = False
) -> list[Problem]:
    """The problems of some decisions over the signals above, by default without those about unused ones."""
    routing = Routing.model_validate({"signals": SIGNALS, "decisions": decisions})
    problems = analyse_routing(routing, strategy)
    return [p for p in problems if unused or p.path.startswith("routing.decisions")]


def decision(name: str, rules: Any, priority: int = 0) -> dict[str, Any]:
    """A decision as the document writes it."""
    return {"name": name, "rules": rules, "priority": priority}


def test_a_contradiction_is_reported_where_it_is_written() -> None:
    """A AND NOT A can never match."""
    (problem,) = warnings(decision("fine", FIRST), decision("odd", rule("AND", SECOND, rule("NOT", SECOND))))
    assert problem.path == "routing.decisions[1].rules"
    assert "never match" in problem.message


def test_two_domains_at_once_are_a_contradiction() -> None:
    """A request has one subject, so an AND of two disjoint domains never matches."""
    (problem,) = warnings(decision("both", rule("AND", MATH, LAW)))
    assert "one" in problem.message
    assert "OR" in problem.remedy


def test_domains_that_share_a_label_may_hold_together() -> None:
    """Two domains that name the same label are no contradiction."""
    assert not warnings(decision("both", rule("AND", MATH, STEM)))


def test_a_narrower_rule_below_a_wider_one_never_wins() -> None:
    """A decision is shadowed by one of higher priority that matches whenever it does."""
    (problem,) = warnings(decision("narrow", rule("AND", FIRST, MATH), 1), decision("wide", FIRST, 2))
    assert problem.path == "routing.decisions[0].rules"
    assert "'wide'" in problem.message
    assert "priority 2 against priority 1" in problem.message


def test_a_narrower_rule_above_a_wider_one_is_how_it_should_be() -> None:
    """A special case that outranks the general one is no problem."""
    assert not warnings(decision("narrow", rule("AND", FIRST, MATH), 2), decision("wide", FIRST, 1))


def test_duplicates_are_called_so() -> None:
    """Two decisions of one rule and rank: the one whose name sorts second never wins."""
    (problem,) = warnings(decision("b", rule("OR", FIRST, MATH)), decision("a", rule("OR", MATH, FIRST)))
    assert "same rule and rank as 'a'" in problem.message


def test_a_catch_all_on_top_is_reported_once() -> None:
    """A decision without conditions that outranks others is one problem, naming those it hides."""
    problems = warnings(decision("all", None, 9), decision("one", FIRST), decision("two", MATH, 1))
    assert [problem.path for problem in problems] == ["routing.decisions[0].rules"]
    assert "'one', 'two'" in problems[0].message


def test_a_catch_all_at_the_bottom_is_a_default() -> None:
    """A decision without conditions that ranks last is no problem."""
    assert not warnings(decision("all", None, -1), decision("one", FIRST))


def test_a_tie_that_only_names_break_is_reported() -> None:
    """Two keyword decisions of equal priority can match together with equal confidence."""
    (problem,) = warnings(decision("one", FIRST), decision("two", SECOND))
    assert problem.path == "routing.decisions[1].rules"
    assert "name" in problem.message


def test_domains_of_equal_priority_are_no_tie() -> None:
    """Decisions on different domains never match the same request."""
    assert not warnings(decision("one", MATH), decision("two", LAW))


def test_confidence_decides_what_is_not_certain() -> None:
    """Under the strategy confidence a wider rule that may be less confident shadows nothing."""
    decisions = decision("narrow", rule("AND", FIRST, MATH), 1), decision("wide", MATH, 2)
    assert not warnings(*decisions, strategy=Strategy.CONFIDENCE)


def test_confidence_can_be_certain() -> None:
    """Under the strategy confidence a keyword is always sure, so a wider rule with it shadows."""
    decisions = decision("narrow", rule("AND", FIRST, MATH), 1), decision("wide", FIRST, 2)
    (problem,) = warnings(*decisions, strategy=Strategy.CONFIDENCE)
    assert problem.path == "routing.decisions[0].rules"


@pytest.mark.parametrize("method", ["bm25", "ngram"])
def test_scored_keywords_are_never_certain(method: str) -> None:
    """A keyword rule that scores its keywords may be less sure than what it stands with, and shadows nothing."""
    text = (
        "version: v0.3\nglobal: {router: {strategy: confidence}}\nrouting:\n  signals:\n"
        "    domains: [{name: math}]\n"
        f"    keywords: [{{name: first, keywords: [first], method: {method}}}]\n"
        "  decisions:\n"
        "    - {name: narrow, priority: 1, rules: {operator: AND, conditions: [{type: keyword, name: first}, {type: domain, name: math}]}}\n"
        "    - {name: wide, priority: 2, rules: {type: keyword, name: first}}\n"
    )
    assert not analyse_settings(parse(text, {}))
    assert analyse_settings(parse(text.replace(f", method: {method}", ""), {}))


def test_shares_of_a_partition_are_never_certain() -> None:
    """A keyword in a softmax partition has a share of certainty, and shadows nothing by its confidence."""
    text = (
        "version: v0.3\nglobal: {router: {strategy: confidence}}\nrouting:\n  signals:\n"
        "    domains: [{name: math}]\n"
        "    keywords: [{name: first, keywords: [first]}, {name: second, keywords: [second]}]\n"
        "  projections: {partitions: [{name: p, semantics: SEMANTICS, members: [first, second]}]}\n"
        "  decisions:\n"
        "    - {name: narrow, priority: 1, rules: {operator: AND, conditions: [{type: keyword, name: first}, {type: domain, name: math}]}}\n"
        "    - {name: wide, priority: 2, rules: {type: keyword, name: first}}\n"
    )
    assert not analyse_settings(parse(text.replace("SEMANTICS", "softmax_exclusive"), {}))
    assert analyse_settings(parse(text.replace("SEMANTICS", "exclusive"), {}))


def test_declared_signals_that_no_decision_uses_are_listed() -> None:
    """Unused signals are one problem for each family, at the list that declares them."""
    domains, keywords = warnings(decision("one", FIRST), unused=True)
    assert (keywords.path, domains.path) == ("routing.signals.keywords", "routing.signals.domains")
    assert "'second'" in keywords.message
    assert "'law', 'math', 'stem'" in domains.message


def test_signals_that_projections_read_are_used() -> None:
    """A signal that only a projection's score reads is not called unused."""
    routing = Routing.model_validate(
        {
            "signals": SIGNALS,
            "projections": {
                "scores": [{"name": "s", "inputs": [{"type": "keyword", "name": "second"}]}],
                "partitions": [{"name": "p", "members": ["math", "law", "stem"]}],
            },
            "decisions": [decision("one", FIRST)],
        }
    )
    assert not analyse_routing(routing, Strategy.PRIORITY)


@pytest.mark.parametrize("strategy", Strategy)
def test_rules_over_many_signals_are_judged_by_form(strategy: Strategy) -> None:
    """Past a truth table's size a contradiction and an implied rule are still found."""
    leaves = tuple(Leaf(SignalKey("keyword", f"k{index}")) for index in range(20))
    decisions = [
        Decision("dead", Node(Operator.AND, (*leaves, Node(Operator.NOT, (leaves[3],))))),
        Decision("wide", Node(Operator.OR, leaves), tier=1),
        Decision("narrow", Node(Operator.OR, leaves[:15]), tier=2),
    ]
    analysis = Analysis(decisions, strategy)
    assert analysis.unmatchable() == {0}
    assert analysis.shadowed() == {2: 1}


def test_a_large_document_is_analysed() -> None:
    """A hundred decisions over twelve signals are compared pair by pair."""
    leaves = tuple(Leaf(SignalKey("embedding", f"e{index}")) for index in range(12))
    decisions = [
        Decision(f"d{n:03}", Node(Operator.OR, (*leaves[: n % 12], leaves[(n * 7) % 12])), priority=n)
        for n in range(100)
    ]
    assert analyse(decisions, frozenset(), Strategy.PRIORITY)


def test_a_classifier_asked_by_label_is_in_use() -> None:
    """Its conditions name it with label and bounds; the plain name is not reported as never asked for."""
    routing = Routing.model_validate(
        {
            "signals": {
                "classifiers": [
                    {"name": "tone", "type": "local", "model_path": "m.npz", "labels": ["a", "b"]}
                ]
            },
            "decisions": [
                {
                    "name": "d",
                    "description": "d",
                    "rules": {"type": "classifier", "name": "tone", "label": "a", "predicate": {"gte": 0.7}},
                    "modelRefs": [],
                }
            ],
        }
    )
    assert not [p for p in analyse_routing(routing, Strategy.PRIORITY) if "classifiers" in p.path]


def test_members_of_a_partition_exclude_each_other() -> None:
    """Rules that need two of them can never match; a default may match beside a domain outside its group."""
    both = [decision("both", rule("AND", FIRST, SECOND)), decision("pair", rule("AND", MATH, LAW))]
    groups = [
        {"name": "p", "members": ["first", "second"]},
        {"name": "q", "members": ["math"], "default": "math"},
    ]
    routing = Routing.model_validate(
        {"signals": SIGNALS, "projections": {"partitions": groups}, "decisions": both}
    )
    found = analyse_routing(routing, Strategy.PRIORITY)
    (problem,) = [each for each in found if each.path.startswith("routing.decisions")]
    assert problem.path == "routing.decisions[0].rules"
    assert "only one can match" in problem.message


@pytest.mark.parametrize(("method", "dead"), [("threshold_bands", True), ("multi_emit", False)])
def test_bands_of_which_the_first_holds_exclude_each_other(method: str, dead: bool) -> None:
    """Two bands of one mapping never match together, unless the mapping emits several."""
    low, high = ({"type": "projection", "name": name} for name in ("low", "high"))
    routing = Routing.model_validate(
        {
            "projections": {
                "scores": [{"name": "s"}],
                "mappings": [
                    {
                        "name": "m",
                        "source": "s",
                        "method": method,
                        "outputs": [{"name": "low"}, {"name": "high"}],
                    }
                ],
            },
            "decisions": [decision("both", rule("AND", low, high))],
        }
    )
    assert bool(analyse_routing(routing, Strategy.PRIORITY)) == dead


def test_mappings_that_nothing_reads_are_listed() -> None:
    """A mapping is in use when any of its outputs is; one of which none is, is a warning."""
    mappings = [
        {"name": name, "source": "s", "outputs": [{"name": f"{name}-low", "lt": 1}, {"name": f"{name}-high"}]}
        for name in ("used", "idle")
    ]
    routing = Routing.model_validate(
        {
            "projections": {"scores": [{"name": "s"}], "mappings": mappings},
            "decisions": [decision("one", {"type": "projection", "name": "used-low"})],
        }
    )
    (problem,) = analyse_routing(routing, Strategy.PRIORITY)
    assert problem.path == "routing.projections.mappings[1]"
    assert "'idle'" in problem.message
