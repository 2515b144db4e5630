"""Rules against oracles written from the specification rather than from the code."""

from functools import cmp_to_key
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.decision import Decision, Strategy
from pointsman.core.rule import Leaf, Node, Operator, Rule
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions import truth
from pointsman.decisions.analysis import analyse
from pointsman.decisions.evaluate import evaluate
from pointsman.decisions.plan import Plan
from pointsman.decisions.rank import choose
from pointsman.decisions.shadow import Analysis
from pointsman.decisions.truth import Exclusions, implies, tautology, unsatisfiable

KEYS = tuple(SignalKey(family, name) for family in ("keyword", "domain") for name in "abc")
UNIT = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 1.0]) | st.floats(0, 1)


def nodes(conditions: st.SearchStrategy[Rule]) -> st.SearchStrategy[Rule]:
    """AND and OR of some conditions, NOT of one."""
    several = st.lists(conditions, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Node, st.sampled_from([Operator.AND, Operator.OR]), several),
        conditions.map(lambda condition: Node(Operator.NOT, (condition,))),
    )


RULES = st.recursive(st.sampled_from(KEYS).map(Leaf), nodes, max_leaves=6)
SMALL_RULES = st.recursive(st.sampled_from(KEYS[:2] + KEYS[3:5]).map(Leaf), nodes, max_leaves=3)


@st.composite
def signal_sets(draw: st.DrawFn, *, failures: bool = True) -> SignalSet:
    """An outcome for every key: keywords are sure when they match, anything may fail or be missing."""
    signals = []
    for key in KEYS:
        outcome = draw(st.sampled_from(["yes", "no", *(["failed", "missing"] if failures else [])]))
        confidence = 1.0 if key.family == "keyword" and outcome == "yes" else draw(UNIT)
        if outcome != "missing":
            error = "Timeout" if outcome == "failed" else ""
            signals.append(
                Signal(key, matched=outcome in {"yes", "failed"}, confidence=confidence, error=error)
            )
    return SignalSet.of(signals)


@st.composite
def decision_sets(draw: st.DrawFn, rules: st.SearchStrategy[Rule] = RULES) -> list[Decision]:
    """A few decisions with clashing ranks and distinct names."""
    names = draw(st.lists(st.sampled_from("pqrstuvw"), min_size=1, max_size=5, unique=True))
    tiers = st.integers(0, 2) if draw(st.booleans()) else st.just(0)
    return [Decision(name, draw(rules), priority=draw(st.integers(0, 2)), tier=draw(tiers)) for name in names]


def possible(rule: Rule, signals: SignalSet) -> set[bool]:
    """Oracle: every truth a rule can have, failed signals being either (an over-approximation)."""
    if isinstance(rule, Leaf):
        signal = signals.get(rule.key)
        return {True, False} if signal.error else {signal.matched}
    parts = [possible(condition, signals) for condition in rule.conditions]
    if rule.operator is Operator.NOT:
        return {not value for value in parts[0]}
    combine = all if rule.operator is Operator.AND else any
    return {combine(values) for values in product(*parts)}


def confidence(rule: Rule, signals: SignalSet) -> float:
    """Oracle: the confidence of a rule that matches."""
    if isinstance(rule, Leaf):
        return signals.get(rule.key).confidence
    if rule.operator is Operator.NOT:
        return 1.0
    matching = [confidence(part, signals) for part in rule.conditions if possible(part, signals) == {True}]
    if rule.operator is Operator.OR:
        return max(matching)
    return sum(matching) / len(matching) if matching else 0.0


@given(RULES, signal_sets())
def test_evaluation_is_what_the_definition_says(rule: Rule, signals: SignalSet) -> None:
    """A rule matches exactly when it must whatever failed signals were, with the defined confidence."""
    trace = evaluate(rule, signals)
    assert trace.matched == (possible(rule, signals) == {True})
    if trace.matched:
        assert trace.confidence == confidence(rule, signals)


@given(RULES, signal_sets())
def test_a_trace_has_the_shape_of_its_rule(rule: Rule, signals: SignalSet) -> None:
    """Nothing is short-circuited: every condition has its outcome in the trace."""

    def shape(part: object) -> object:
        conditions = getattr(part, "conditions", None)
        return getattr(part, "key", None) if conditions is None else [shape(each) for each in conditions]

    assert shape(evaluate(rule, signals)) == shape(rule)


def brute_choice(decisions: list[Decision], signals: SignalSet, strategy: Strategy) -> Decision | None:
    """Oracle: the first of all matched decisions, compared two at a time as the documentation words it."""
    tiered = any(decision.tier > 0 for decision in decisions)

    def compare(one: Decision, other: Decision) -> int:
        sure = confidence(one.rule, signals) - confidence(other.rule, signals)
        important = one.priority - other.priority
        tiers = (one.tier or 99) - (other.tier or 99)
        by_name = -1 if one.name < other.name else 1
        if tiered:
            criteria: tuple[float, ...] = (tiers, -sure, -important)
        elif strategy is Strategy.CONFIDENCE:
            criteria = (-sure, -important)
        else:
            criteria = (-important, -sure)
        first = next((value for value in criteria if value), by_name)
        return -1 if first < 0 else 1

    matched = [decision for decision in decisions if possible(decision.rule, signals) == {True}]
    return min(matched, key=cmp_to_key(compare)) if matched else None


@given(decision_sets(), signal_sets(), st.sampled_from(Strategy))
def test_the_first_in_rank_wins(decisions: list[Decision], signals: SignalSet, strategy: Strategy) -> None:
    """The choice is the first of all matched decisions, sorted as documented."""
    match = choose(decisions, signals, strategy)
    expected = brute_choice(decisions, signals, strategy)
    assert match.decision == expected
    assert [trace.name for trace in match.traces] == [decision.name for decision in decisions]
    assert match.confidence == (confidence(expected.rule, signals) if expected else 0.0)


@given(decision_sets(), signal_sets(), st.sampled_from(Strategy))
def test_a_plan_chooses_as_the_definition_does(
    decisions: list[Decision], signals: SignalSet, strategy: Strategy
) -> None:
    """Compiled, the same decision wins with the same confidence, and every trace is the same."""
    planned, defined = Plan(decisions, strategy).choose(signals), choose(decisions, signals, strategy)
    assert (planned.decision, planned.confidence) == (defined.decision, defined.confidence)
    assert tuple(planned.traces) == tuple(defined.traces)


@given(RULES, signal_sets())
def test_a_plan_of_one_matches_as_evaluation_does(rule: Rule, signals: SignalSet) -> None:
    """A compiled rule holds exactly where evaluating it does, also where its parts failed."""
    trace = evaluate(rule, signals)
    match = Plan([Decision("only", rule)], Strategy.PRIORITY).choose(signals)
    expected = trace.confidence if trace.matched else 0.0
    assert (match.decision is not None, match.confidence) == (trace.matched, expected)


EXCLUSIONS = st.sampled_from(
    [
        frozenset(),
        frozenset({frozenset(KEYS[3:5])}),
        frozenset({frozenset(KEYS[3:5]), frozenset(KEYS[4:6]), frozenset((KEYS[3], KEYS[5]))}),
    ]
)


def assignments(exclusions: Exclusions) -> list[frozenset[SignalKey]]:
    """All combinations of signals that hold, less those that exclude each other."""
    chosen = [
        frozenset(key for key, held in zip(KEYS, row, strict=True) if held)
        for row in product([False, True], repeat=len(KEYS))
    ]
    return [holding for holding in chosen if not any(pair <= holding for pair in exclusions)]


def signals_of(holding: frozenset[SignalKey], confidences: list[float]) -> SignalSet:
    """The signals of one combination; a keyword that matches has confidence 1."""
    return SignalSet.of(
        Signal(key, matched=key in holding, confidence=1.0 if key.family == "keyword" else confidence)
        for key, confidence in zip(KEYS, confidences, strict=True)
    )


CONFIDENCES = st.lists(st.lists(UNIT, min_size=len(KEYS), max_size=len(KEYS)), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(decision_sets(SMALL_RULES), st.sampled_from(Strategy), EXCLUSIONS, CONFIDENCES)
def test_what_is_reported_as_hopeless_never_wins(
    decisions: list[Decision], strategy: Strategy, exclusions: Exclusions, confidences: list[list[float]]
) -> None:
    """No decision called unmatchable or shadowed wins in any combination of signals."""
    analysis = Analysis(decisions, strategy, exclusions)
    unmatchable, shadowed = analysis.unmatchable(), analysis.shadowed()
    for holding, values in product(assignments(exclusions), confidences):
        match = choose(decisions, signals_of(holding, values), strategy)
        for index, (decision, trace) in enumerate(zip(decisions, match.traces, strict=True)):
            assert not (trace.matched and index in unmatchable)
            assert not (match.decision is decision and index in shadowed)
            assert not (index in shadowed and trace.matched and not match.traces[shadowed[index]].matched)


@settings(max_examples=150, deadline=None)
@given(decision_sets(SMALL_RULES), EXCLUSIONS)
def test_all_that_cannot_match_is_reported(decisions: list[Decision], exclusions: Exclusions) -> None:
    """Over few signals the analysis misses no rule that never holds and no rule that always does."""
    analysis = Analysis(decisions, Strategy.PRIORITY, exclusions)
    for index, decision in enumerate(decisions):
        outcomes = {
            evaluate(decision.rule, signals_of(holding, [1.0] * len(KEYS))).matched
            for holding in assignments(exclusions)
        }
        assert (index in analysis.unmatchable()) == (outcomes == {False})
        assert (index in analysis.catch_alls()) == (outcomes == {True})


@settings(max_examples=150, deadline=None)
@given(decision_sets(SMALL_RULES), st.sampled_from(Strategy), EXCLUSIONS)
def test_a_reported_tie_exists(decisions: list[Decision], strategy: Strategy, exclusions: Exclusions) -> None:
    """Two decisions called tied do match together, equally confident, in some combination."""
    analysis = Analysis(decisions, strategy, exclusions)
    for one, other in product(range(len(decisions)), repeat=2):
        if one < other and analysis.tied(one, other):
            matches = [
                choose(decisions, signals_of(h, [0.4] * len(KEYS)), strategy) for h in assignments(exclusions)
            ]
            assert any(
                match.traces[one].matched
                and match.traces[other].matched
                and match.traces[one].confidence == match.traces[other].confidence
                for match in matches
            )


@given(RULES, RULES, EXCLUSIONS)
def test_comparison_by_form_is_sound(one: Rule, other: Rule, exclusions: Exclusions) -> None:
    """What rules over many signals are judged by never claims what a truth table would deny."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth, "MAX_LEAVES", -1)
        by_form = (
            implies(one, other, exclusions),
            unsatisfiable(one, exclusions),
            tautology(one, exclusions),
        )
    by_table = (implies(one, other, exclusions), unsatisfiable(one, exclusions), tautology(one, exclusions))
    assert all(exact or not claimed for claimed, exact in zip(by_form, by_table, strict=True))


@given(decision_sets(), st.sampled_from(Strategy), EXCLUSIONS)
def test_every_problem_can_be_found_and_acted_on(
    decisions: list[Decision], strategy: Strategy, exclusions: Exclusions
) -> None:
    """Each warning names a decision's rules or a list of signals, and says what to do."""
    for problem in analyse(decisions, frozenset(KEYS), strategy, exclusions=exclusions):
        assert problem.path.startswith(("routing.decisions[", "routing.signals."))
        assert problem.message
        assert problem.remedy
