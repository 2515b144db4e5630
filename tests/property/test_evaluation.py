"""The arithmetic of an evaluation against naive oracles."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pointsman.evaluation.classes import class_scores, confusion
from pointsman.evaluation.latency import histogram, percentile
from pointsman.evaluation.rates import mcnemar, rate
from support.evaluated import decided

NAMES = st.sampled_from("abcd")
COUNT = st.integers(0, 400)


@given(st.lists(st.tuples(NAMES, NAMES), max_size=60))
def test_scores_are_what_counting_gives(pairs: list[tuple[str, str]]) -> None:
    """Precision, recall and F1 equal their definitions, counted one by one; the table holds every case."""
    table = confusion([decided(expected, made) for expected, made in pairs], "dcba")
    assert table.total == len(pairs)
    scores = class_scores(table)
    assert {score.name for score in scores} == {name for pair in pairs for name in pair}
    for score in scores:
        hits = sum(1 for pair in pairs if pair == (score.name, score.name))
        expected = sum(1 for pair in pairs if pair[0] == score.name)
        made = sum(1 for pair in pairs if pair[1] == score.name)
        precision, recall = hits / made if made else 0.0, hits / expected if expected else 0.0
        both = precision + recall
        assert (score.precision, score.recall.share) == (precision, recall)
        assert math.isclose(score.f1, 2 * precision * recall / both if both else 0.0)


@given(COUNT, COUNT)
def test_an_interval_holds_its_share_and_shrinks(hits: int, more: int) -> None:
    """It lies within 0 and 1, holds the share, mirrors its opposite, and is narrower for ten times the cases."""
    total = hits + more
    found, opposite, wide = rate(hits, total), rate(more, total), rate(10 * hits, 10 * total)
    assert 0.0 <= found.low <= found.share <= found.high <= 1.0 or total == 0
    if total:
        assert math.isclose(found.low, 1 - opposite.high, abs_tol=1e-9)
        assert wide.high - wide.low < found.high - found.low


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(first: int, second: int) -> None:
    """Against exact integers: the share of all outcomes at least as uneven, by symmetry twice one tail."""
    total = first + second
    tail = sum(math.comb(total, k) for k in range(min(first, second) + 1))
    assert math.isclose(mcnemar(first, second), min(1.0, 2 * tail / 2**total), rel_tol=1e-9)
    assert mcnemar(first, second) == mcnemar(second, first)


@given(st.lists(st.floats(0, 1e9), min_size=1), st.floats(0.01, 1.0))
def test_a_percentile_is_the_least_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    """As defined, by trying every value."""
    enough = [v for v in values if sum(1 for w in values if w <= v) >= share * len(values)]
    assert percentile(sorted(values), share) == min(enough)


@given(st.lists(st.floats(0, 1e12), max_size=80), st.integers(1, 30))
def test_a_histogram_counts_all_that_took_time(values: list[float], bins: int) -> None:
    """No positive duration is lost, and bins do not overlap."""
    found = histogram(values, bins)
    assert sum(each.count for each in found) == sum(1 for value in values if value > 0)
    assert all(one.end <= two.start for one, two in pairwise(found))
