"""The algorithms against naive readings of their documentation."""

import asyncio
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.algorithms import FactorWeights, Hybrid, MultiFactor, Slo
from pointsman.core.model import Candidate, Target
from pointsman.core.request import ChatRequest, Dialect, Identity, Message
from pointsman.core.signal import SignalSet
from pointsman.selection.base import Asked
from pointsman.selection.hybrid import blended, nearly_as_good
from pointsman.selection.latency_aware import relative
from pointsman.selection.multi_factor import Measures, meets, scored
from pointsman.selection.neighbours import Neighbours
from pointsman.selection.outcomes import Outcomes
from pointsman.selection.scale import first_best, normalised
from pointsman.selection.weighted import Weighted

VALUES = st.one_of(st.none(), st.floats(0, 1e6))
MEASURES = st.builds(
    Measures,
    quality=VALUES,
    ttft_ms=VALUES,
    tpot_ms=VALUES,
    price=VALUES,
    in_flight=st.integers(0, 100),
)
WEIGHTS = st.builds(
    FactorWeights,
    quality=st.floats(0, 10),
    latency=st.floats(0, 10),
    cost=st.floats(0, 10),
    load=st.floats(0, 10),
)


def place(value: float | None, values: list[float | None], *, less_is_better: bool) -> float:
    """Where a value stands among those known, 0..1; the middle where that says nothing."""
    known = [each for each in values if each is not None]
    if value is None or min(known) == max(known):
        return 0.5
    share = (value - min(known)) / (max(known) - min(known))
    return 1 - share if less_is_better else share


@given(st.lists(MEASURES, min_size=1, max_size=6), WEIGHTS, st.sampled_from(["ttft", "tpot"]))
def test_multi_factor_scores_as_a_sum_written_out(
    measured: list[Measures], weights: FactorWeights, metric: str
) -> None:
    """Four places, weighted; what is not known counts half."""
    settings = MultiFactor(weights=weights, latency_metric=metric)
    total = weights.quality + weights.latency + weights.cost + weights.load or 1.0
    latency = [m.ttft_ms if metric == "ttft" else m.tpot_ms for m in measured]
    for index, score in enumerate(scored(measured, settings)):
        one = measured[index]
        expected = (
            weights.quality * place(one.quality, [m.quality for m in measured], less_is_better=False)
            + weights.latency * place(latency[index], latency, less_is_better=True)
            + weights.cost * place(one.price, [m.price for m in measured], less_is_better=True)
            + weights.load * place(one.in_flight, [m.in_flight for m in measured], less_is_better=True)
        ) / total
        assert score == pytest.approx(expected, abs=1e-6)


@given(MEASURES, VALUES, VALUES, VALUES, st.one_of(st.none(), st.integers(1, 100)))
def test_objectives_exclude_only_what_is_known_to_break_them(
    one: Measures, ttft: float | None, tpot: float | None, cost: float | None, inflight: int | None
) -> None:
    """Each bound alone, joined."""
    slo = Slo(max_ttft_ms=ttft, max_tpot_ms=tpot, max_cost_per_1m=cost, max_inflight=inflight)
    broken = [
        ttft is not None and one.ttft_ms is not None and one.ttft_ms > ttft,
        tpot is not None and one.tpot_ms is not None and one.tpot_ms > tpot,
        cost is not None and one.price is not None and one.price > cost,
        inflight is not None and one.in_flight >= inflight,
    ]
    assert meets(one, slo) is not any(broken)


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_normalised_values_keep_their_order(values: list[float | None]) -> None:
    """All within 0..1, equals stay equal, the first of the best is best."""
    found = normalised(values)
    assert all(0 <= each <= 1 for each in found)
    pairs = [(value, each) for value, each in zip(values, found, strict=True) if value is not None]
    assert all(a[1] <= b[1] for a in pairs for b in pairs if a[0] <= b[0])
    assert first_best(found) == list(found).index(max(found))


@given(
    st.lists(st.tuples(st.lists(st.floats(0, 1), min_size=4, max_size=4), VALUES), min_size=1, max_size=5),
    st.floats(0, 1),
)
def test_hybrid_takes_the_cheapest_of_the_nearly_best(
    rows: list[tuple[list[float], float | None]], gap: float
) -> None:
    """Never a dearer model than the best, never one that scores a gap or more below it."""
    prices = [price for _, price in rows]
    parts = [[row[0][column] for row in rows] for column in range(3)]
    for normalise in (True, False):
        settings = Hybrid(quality_gap_threshold=gap, normalize_scores=normalise)
        scores = blended(parts[0], parts[1], parts[2], prices, settings)
        assert all(-1e-9 <= score <= 1 + 1e-9 for score in scores)
        best, chosen = first_best(scores), nearly_as_good(scores, prices, gap)
        if chosen == best:
            continue
        near = [
            price
            for price, score in zip(prices, scores, strict=True)
            if price is not None and scores[best] - score < gap
        ]
        assert prices[chosen] == min(near)
        assert scores[best] - scores[chosen] < gap


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=6))
def test_relative_times_are_means_of_ratios(times: list[tuple[float | None, float | None]]) -> None:
    """The fastest in all that is known of it has 1; nothing known gives nothing."""
    for row, found in zip(times, relative(times), strict=True):
        assert (found is None) == (row == (None, None))
        assert found is None or found >= 1.0
    positive = [tuple(None if t is None else t + 1 for t in row) for row in times]
    for row, found in zip(positive, relative(positive), strict=True):
        ratios = [
            value / min(other[kind] for other in positive if other[kind] is not None)
            for kind, value in enumerate(row)
            if value is not None
        ]
        assert found == (pytest.approx(math.fsum(ratios) / len(ratios)) if ratios else None)


@given(
    st.integers(1, 30), st.integers(1, 4), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 0.9)
)
def test_neighbours_score_as_sorting_all_of_them_does(
    rows: int, models: int, k: int, seed: int, unknown: float
) -> None:
    """The mean over the k nearest that tried a model, its mean over all as one more."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(rows, 8)).astype(np.float32)
    scores = random.random((rows, models)).astype(np.float32)
    scores[random.random((rows, models)) < unknown] = np.nan
    asked = random.normal(size=8).astype(np.float32)
    names = tuple(map(str, range(models)))
    found = Neighbours(Outcomes("e", names, vectors, scores), k).scores(asked)
    nearest = sorted(range(rows), key=lambda row: -float(vectors[row] @ asked))[:k]
    for model in range(models):
        tried = [float(score) for score in scores[:, model] if not math.isnan(score)]
        votes = [float(scores[row, model]) for row in nearest if not math.isnan(scores[row, model])]
        votes.append(sum(tried) / len(tried) if tried else 0.0)
        assert found[model] == pytest.approx(sum(votes) / len(votes), abs=1e-5)


def asked_by(session: str = "", user: str = "", *texts: str) -> Asked:
    messages = tuple(Message("user", text) for text in texts)
    request = ChatRequest(
        Dialect.OPENAI_CHAT, "MoM", messages, b"", identity=Identity(user=user, session=session)
    )
    return Asked(request, SignalSet(), "d")


def drawn(candidates: list[Candidate], asked: Asked) -> str:
    return asyncio.run(Weighted().choose(candidates, asked)).candidate.target.name


def weighed(*weights: float) -> list[Candidate]:
    return [Candidate(Target(str(i), str(i), str(i)), weight=w) for i, w in enumerate(weights)]


@given(
    st.lists(st.floats(0.01, 100), min_size=2, max_size=5),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_a_conversation_keeps_its_model(weights: list[float], session: str, user: str, opening: str) -> None:
    """Later turns choose alike, and so does anyone left when another model goes away."""
    candidates = weighed(*weights)
    first = drawn(candidates, asked_by(session, user, opening))
    assert first == drawn(candidates, asked_by(session, user, opening, "and then?"))
    gone = [candidate for candidate in candidates if candidate.target.name != first]
    kept = [candidate for candidate in candidates if candidate is not gone[0]]
    assert drawn(kept, asked_by(session, user, opening)) == first


def test_shares_of_many_conversations_are_the_weights() -> None:
    """Of 20,000 sessions each model gets its share to within a hundredth."""
    candidates = weighed(1, 3, 6, 0)
    counts = {str(i): 0 for i in range(4)}

    async def count() -> None:
        for number in range(20_000):
            chosen = await Weighted().choose(candidates, asked_by(f"session {number}"))
            counts[chosen.candidate.target.name] += 1

    asyncio.run(count())
    shares = [counts[str(i)] / 20_000 for i in range(4)]
    assert shares == pytest.approx([0.1, 0.3, 0.6, 0.0], abs=0.01)
