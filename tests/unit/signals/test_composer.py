"""A composer holds the levels of a complexity rule against another rule."""

from typing import Any

import pytest

from pointsman.config.routing import Routing
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.signals.derivations import build_derivations, observed

HARD, EASY = SignalKey("complexity", "task:hard"), SignalKey("complexity", "task:easy")
LONG, CODE = SignalKey("context", "long"), SignalKey("keyword", "code")


def routing(composer: dict[str, Any], **rest: Any) -> Routing:
    signals = {
        "complexity": [{"name": "task", "composer": composer}],
        "context": [{"name": "long", "min_tokens": 100}],
        "keywords": [{"name": "code", "keywords": ["code"]}],
    }
    return Routing.model_validate({"signals": signals, **rest})


def derived(found: Routing, used: set[SignalKey], *signals: Signal) -> SignalSet:
    seen = SignalSet.of(signals)
    for derivation in build_derivations(found, used):
        seen = derivation.derive(seen)
    return seen


@pytest.mark.parametrize(
    ("holds", "error", "matched", "failed"),
    [(True, "", True, False), (False, "", False, False), (False, "Timeout", False, True)],
)
def test_a_level_counts_only_where_the_composer_holds(
    holds: bool, error: str, matched: bool, failed: bool
) -> None:
    """The match stays, goes, or is unknown as the composer is; the confidence stays the level's own."""
    found = routing({"type": "context", "name": "long"})
    level = Signal(HARD, matched=True, confidence=0.8)
    signals = derived(found, {HARD}, level, Signal(LONG, matched=holds, error=error))
    assert (signals.get(HARD).matched, signals.get(HARD).failed) == (matched, failed)
    assert signals.get(HARD).confidence == 0.8


def test_a_level_that_does_not_match_needs_no_composer() -> None:
    """A failed signal in the composer leaves the levels that do not match as they are."""
    found = routing({"type": "context", "name": "long"})
    signals = derived(
        found, {EASY}, Signal(EASY, matched=False), Signal(LONG, matched=False, error="Timeout")
    )
    assert not signals.get(EASY).failed


def test_a_failed_level_certainly_does_not_hold_without_its_composer() -> None:
    """An AND of unknown and false is false."""
    found = routing({"type": "context", "name": "long"})
    signals = derived(found, {HARD}, Signal(HARD, matched=False, error="x"), Signal(LONG, matched=False))
    assert not signals.get(HARD).failed


def test_only_used_levels_have_a_composer_observed() -> None:
    """What a composer reads is observed when a decision asks for one of its levels, and only then."""
    found = routing({"operator": "AND", "conditions": [{"type": "context", "name": "long"}]})
    assert observed({HARD}, build_derivations(found, {HARD})) == {HARD, LONG}
    assert observed({CODE}, build_derivations(found, {CODE})) == {CODE}


def test_a_composer_may_read_a_projection() -> None:
    """Derivations run in the order of what they read, whatever their kind."""
    projections = {
        "scores": [{"name": "s", "inputs": [{"type": "keyword", "name": "code"}]}],
        "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "much", "gte": 0.5}]}],
    }
    found = routing({"type": "projection", "name": "much"}, projections=projections)
    assert observed({HARD}, build_derivations(found, {HARD})) >= {HARD, CODE}
    level = Signal(HARD, matched=True)
    assert derived(found, {HARD}, level, Signal(CODE, matched=True)).get(HARD).matched
    assert not derived(found, {HARD}, level, Signal(CODE, matched=False)).get(HARD).matched


def test_a_score_reads_a_level_after_its_composer() -> None:
    """What the composer takes away counts as a miss."""
    projections = {
        "scores": [{"name": "s", "inputs": [{"type": "complexity", "name": "task:hard"}]}],
        "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "much", "gte": 0.5}]}],
    }
    found = routing({"type": "context", "name": "long"}, projections=projections)
    much = SignalKey("projection", "much")
    level = Signal(HARD, matched=True)
    assert derived(found, {much}, level, Signal(LONG, matched=True)).get(much).matched
    assert not derived(found, {much}, level, Signal(LONG, matched=False)).get(much).matched


def test_a_metric_of_a_knowledge_base_counts_with_its_value() -> None:
    """The metric is asked for as ``base:metric`` and weighted as it is, negative too."""
    projections = {
        "scores": [
            {"name": "s", "inputs": [{"type": "kb_metric", "kb": "own", "metric": "margin", "weight": 2.0}]}
        ],
        "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "less", "lt": -0.5}]}],
    }
    found = routing({"type": "context", "name": "long"}, projections=projections)
    less, metric = SignalKey("projection", "less"), SignalKey("kb_metric", "own:margin")
    assert metric in observed({less}, build_derivations(found, {less}))
    assert derived(found, {less}, Signal(metric, matched=True, confidence=-0.4)).get(less).matched


def test_sums_beyond_numbers_fail() -> None:
    """A score that overflows has failed, and its bands with it."""
    projections = {
        "scores": [
            {"name": "s", "inputs": [{"type": "keyword", "name": "code", "weight": 1e308, "match": 1e9}]}
        ],
        "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "any"}]}],
    }
    found = routing({"type": "context", "name": "long"}, projections=projections)
    band = SignalKey("projection", "any")
    assert derived(found, {band}, Signal(CODE, matched=True)).get(band).failed
