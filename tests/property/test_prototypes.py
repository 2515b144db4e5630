"""Prototypes and the competition of rules against oracles written from their description."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.signals.base import Floats
from pointsman.signals.embedding import Choice, matching
from pointsman.signals.prototypes import Bank, Scoring, prototypes, score

ANGLES = st.lists(st.integers(0, 359), min_size=1, max_size=12)


def vectors(angles: list[int]) -> Floats:
    """Unit vectors in the plane, slightly lifted so that no two cancel out."""
    radians = np.radians(np.array(angles, dtype=np.float64))
    flat = np.stack([np.cos(radians), np.sin(radians), np.full(len(angles), 0.3)], axis=1)
    return (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)


def unit(vector: Floats) -> Floats:
    """The direction of a sum."""
    return vector / np.linalg.norm(vector)


def naive(examples: Floats, scoring: Scoring) -> list[Floats]:
    """Clusters as lists of members: the nearest that is near enough, then the nearest two joined."""
    clusters: list[list[Floats]] = []
    for example in examples:
        cosines = [float(unit(np.sum(each, axis=0)) @ example) for each in clusters]
        if cosines and max(cosines) >= scoring.similarity:
            clusters[cosines.index(max(cosines))].append(example)
        else:
            clusters.append([example])
    while len(clusters) > scoring.most:
        centres = [unit(np.sum(each, axis=0)) for each in clusters]
        first, second = max(
            combinations(range(len(clusters)), 2), key=lambda pair: float(centres[pair[0]] @ centres[pair[1]])
        )
        clusters[first] += clusters.pop(second)
    return [unit(np.sum(each, axis=0)) for each in clusters]


@settings(max_examples=200)
@given(ANGLES, st.sampled_from([1, 2, 3, 8]))
def test_prototypes_are_bounded_units_that_keep_the_examples_sum(angles: list[int], most: int) -> None:
    """At most so many, each of length one; a single prototype is the direction of all examples together."""
    found = prototypes(vectors(angles), Scoring(most=most))
    assert 1 <= len(found) <= min(most, len(angles))
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-5)
    if most == 1:
        assert found[0] == pytest.approx(unit(vectors(angles).sum(axis=0)), abs=1e-4)


@settings(max_examples=200)
@given(st.lists(st.sampled_from([0, 11, 61, 69, 127, 201, 290]), min_size=1, max_size=10), st.integers(1, 8))
def test_prototypes_are_those_of_the_naive_clustering(angles: list[int], most: int) -> None:
    """The same directions as clusters kept as lists give; the angles are such that no two pairs tie."""
    scoring = Scoring(most=most)
    examples = vectors(list(dict.fromkeys(angles)))
    found, expected = prototypes(examples, scoring), np.stack(naive(examples, scoring))
    assert len(found) == len(expected)
    assert (expected @ found.T).max(axis=1) == pytest.approx(1.0, abs=1e-5)


@given(ANGLES)
def test_without_clustering_every_example_counts(angles: list[int]) -> None:
    """The examples themselves are the prototypes."""
    assert len(prototypes(vectors(angles), Scoring(clustered=False))) == len(angles)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.floats(0, 1), st.integers(1, 12))
def test_a_score_blends_the_best_with_the_mean_of_the_best_few(
    cosines: list[float], weight: float, top: int
) -> None:
    """As the formula says, and never above the best similarity."""
    best = sorted(cosines, reverse=True)[:top]
    found = score(np.array(cosines, dtype=np.float32), Scoring(best_weight=weight, top=top))
    assert found == pytest.approx(weight * best[0] + (1 - weight) * sum(best) / len(best), abs=1e-5)
    assert found <= best[0] + 1e-5


@given(st.dictionaries(st.sampled_from("abcd"), ANGLES, min_size=1), st.integers(0, 359))
def test_a_bank_scores_each_set_as_if_alone(sets: dict[str, list[int]], angle: int) -> None:
    """One matrix for all sets gives what each set gives for itself."""
    query = vectors([angle])[0]
    bank = Bank.of({name: vectors(angles) for name, angles in sets.items()})
    found = bank.scores(query, Scoring())
    for name, angles in sets.items():
        assert found[name] == pytest.approx(score(vectors(angles) @ query, Scoring()), abs=1e-6)


SCORES = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(0, 10).map(lambda each: each / 10), min_size=1
)


@given(SCORES, st.data())
def test_rules_compete_as_described(scores: dict[str, float], data: st.DataObject) -> None:
    """Soft matches only where there is no hard one; the best `top_k` remain, ties by name."""
    thresholds = {name: data.draw(st.integers(0, 11)) / 10 for name in scores}
    choice = Choice(top_k=data.draw(st.integers(0, 3)), soft_from=data.draw(st.sampled_from([None, 0.5])))
    hard = [name for name in scores if scores[name] >= thresholds[name]]
    soft = [name for name in scores if choice.soft_from is not None and scores[name] >= choice.soft_from]
    expected = sorted(hard or soft, key=lambda name: (-scores[name], name))
    found, softly = matching(scores, thresholds, choice)
    assert set(found) == set(expected[: choice.top_k] if choice.top_k else expected)
    assert softly == (not hard and choice.soft_from is not None)
