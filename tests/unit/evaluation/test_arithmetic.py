import pytest

from pointsman.evaluation.classes import class_scores, confusion, macro_f1
from pointsman.evaluation.compare import compare
from pointsman.evaluation.cost import Price, costs
from pointsman.evaluation.latency import by_phase, histogram, percentile, spread
from pointsman.evaluation.outcome import NONE, Outcome
from pointsman.evaluation.rates import mcnemar, rate
from pointsman.evaluation.report import summarise
from pointsman.evaluation.signal_scores import signal_scores
from support.evaluated import decided, judged


def test_wilsons_interval_is_the_published_one() -> None:
    """15 of 20 has the 95% interval 0.531 to 0.888, as textbooks have it; the ends are exact."""
    some = rate(15, 20)
    assert (round(some.low, 3), round(some.high, 3)) == (0.531, 0.888)
    assert rate(0, 10).low == 0.0
    assert rate(10, 10).high == 1.0
    nothing = rate(0, 0)
    assert (nothing.share, nothing.low, nothing.high) == (0.0, 0.0, 1.0)


def test_mcnemars_test_by_hand() -> None:
    """3 against 1 is 2 x (1 + 4) / 16; no difference is no evidence; 14 against 2 is the page's 0.004."""
    assert mcnemar(3, 1) == pytest.approx(0.625)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert round(mcnemar(14, 2), 3) == 0.004
    assert 0.0 <= mcnemar(100_000, 90_000) < 1e-100


def test_precision_recall_and_confusion_by_hand() -> None:
    """Two of three maths cases are met, and one law case is taken for maths."""
    cases = [
        decided("maths", "maths"),
        decided("maths", "maths"),
        decided("maths", "law"),
        decided("law", "maths"),
        judged({"decision": None}, Outcome(decision=NONE)),
        judged({"reply": False}, Outcome(decision="law")),
    ]
    table = confusion(cases, ["law", "maths", "never"])
    assert table.names == ("law", "maths", NONE)
    assert table.counts == ((0, 1, 0), (1, 2, 0), (0, 0, 1))
    assert table.mixed_up() == [("law", "maths", 1), ("maths", "law", 1)]
    law, maths, none = class_scores(table)
    assert (law.precision, law.recall.share, law.f1) == (0.0, 0.0, 0.0)
    assert (maths.expected, maths.made, maths.hits) == (3, 3, 2)
    assert maths.precision == maths.recall.share == pytest.approx(2 / 3)
    assert none.f1 == 1.0
    assert macro_f1([law, maths, none]) == pytest.approx((0 + 2 / 3 + 1) / 3)


def test_a_decision_that_nobody_expects_does_not_count_in_the_mean() -> None:
    """It has no recall; what it took shows in the others'."""
    scores = class_scores(confusion([decided("a", "a"), decided("a", "b")], []))
    assert macro_f1(scores) == pytest.approx(2 / 3)
    assert macro_f1([]) == 0.0


def test_percentiles_are_measured_values() -> None:
    """By nearest rank: the median of four is the second."""
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([7], 0.99) == 7
    some = spread(float(n) for n in range(100, 0, -1))
    assert (some.count, some.p50, some.p90, some.p99, some.most) == (100, 50, 90, 99, 100)


def test_phases_are_told_apart_and_the_total_comes_last() -> None:
    """A phase counts the requests that reached it."""
    phases = by_phase([{"observe": 2.0, "total": 3.0}, {"observe": 4.0, "place": 1.0, "total": 6.0}])
    assert list(phases) == ["observe", "place", "total"]
    assert (phases["observe"].count, phases["place"].count) == (2, 1)
    assert by_phase([]) == {}


def test_a_histogram_loses_nothing() -> None:
    """Every positive duration is in a bin, the greatest too; bins touch."""
    bins = histogram([1.0, 10.0, 100.0, 1000.0], bins=3)
    assert [each.count for each in bins] == [1, 1, 2]
    assert bins[0].end == bins[1].start
    assert histogram([5.0, 5.0])[0].count == 2
    assert histogram([0.0]) == ()


def test_costs_by_hand() -> None:
    """A million prompt tokens and two answers; replies of our own and models without a price cost nothing."""
    prices = {
        "small": Price("USD", 1.0, 2.0),
        "large": Price("USD", 10.0, 20.0),
        "far": Price("EUR", 1.0, 1.0),
    }
    outcomes = [
        Outcome(provider="small", prompt_tokens=1_000_000),
        Outcome(provider="large", prompt_tokens=0),
        Outcome(provider="large", prompt_tokens=5, status=200),
        Outcome(provider="unpriced", prompt_tokens=5),
    ]
    (cost,) = costs(outcomes, prices, 500_000)
    assert (cost.currency, cost.requests) == ("USD", 2)
    assert cost.by_model == {"large": 10.0, "small": 2.0}
    assert cost.amount == 12.0
    assert cost.all_to == {"small": 3.0, "large": 30.0}
    assert costs(outcomes, {}, 1) == ()


def test_currencies_are_never_added() -> None:
    """Each has its own total."""
    prices = {"a": Price("USD", 1.0, 0.0), "b": Price("EUR", 1.0, 0.0)}
    found = costs([Outcome(provider=name, prompt_tokens=1_000_000) for name in "ab"], prices, 0)
    assert [(cost.currency, cost.amount, list(cost.all_to)) for cost in found] == [
        ("EUR", 1.0, ["b"]),
        ("USD", 1.0, ["a"]),
    ]


def test_signals_count_only_where_cases_speak_of_them() -> None:
    """Missed, unasked and failed are told apart."""
    seen = Outcome(matched=frozenset({"d:a"}), failed={"d:b": "busy"})
    (first, second) = signal_scores(
        [
            judged({"signals": ["d:a", "d:b"]}, seen),
            judged({"not_signals": ["d:a"]}, seen),
            judged({"signals": ["d:a"]}, Outcome()),
            judged({"decision": "x"}, seen),
        ]
    )
    assert (first.name, first.right.hits, first.missed, first.unasked, first.failed) == ("d:a", 1, 1, 1, 0)
    assert (second.name, second.right.hits, second.failed) == ("d:b", 0, 1)


def test_a_report_adds_up() -> None:
    """Accuracy is over all cases, by label over those that have it; a tag given twice counts once."""
    report = summarise(
        [
            decided("a", "a", lang="en", tags=["x", "x"]),
            decided("a", "b", lang="en", tags=["x", "y"]),
            judged({"signals": ["d:a"]}, Outcome(failed={"d:a": "busy"})),
        ]
    )
    assert (report.accuracy.hits, report.accuracy.total) == (1, 3)
    assert {name: (each.hits, each.total) for name, each in report.tags.items()} == {"x": (1, 2), "y": (0, 1)}
    assert list(report.languages) == ["en"]
    assert report.signal_failures == {"d:a": 1}
    assert len(report.misses) == 2


def test_a_comparison_names_what_moves() -> None:
    """Cases that end differently, the spoilt ones first, then the mended ones."""
    before = [
        decided("a", "a", line=1),
        decided("a", "b", line=2),
        decided("b", "c", line=3),
        decided("a", "a"),
    ]
    after = [
        decided("a", "b", line=1),
        decided("a", "a", line=2),
        decided("b", "d", line=3),
        decided("a", "a"),
    ]
    found = compare(before, after)
    assert (found.fixed, found.broken, found.p_value) == (1, 1, 1.0)
    assert [(move.line, move.before, move.after) for move in found.moves] == [
        (1, "a", "b"),
        (2, "b", "a"),
        (3, "c", "d"),
    ]
    assert (found.other.hits, found.other.total) == (2, 4)
