"""Scores of projections: weighted sums of signals, of a knowledge base's metrics and of other scores.

A score does not match; its value stands where other signals have a confidence, under the family
``projection_score``, which no condition can name: ``bands`` cuts it. A score with a failed input has failed.
"""

import math

import msgspec

from pointsman.config.projection_keys import KB_METRIC, SCORE, input_key
from pointsman.config.projections import ScoreInput
from pointsman.config.routing import Routing
from pointsman.core.signal import Signal, SignalKey, SignalSet

_BINARY, _CONFIDENCE, _MEASURE = "binary", "confidence", "score"
_SOURCES = {"": _BINARY, "raw": _MEASURE}
"""What the document's other words mean."""


class Input(msgspec.Struct, frozen=True):
    """One signal's share in a score."""

    key: SignalKey
    weight: float
    source: str
    """``binary``: whether it matched. ``confidence``: how sure it was if it matched. ``score``: its measure,
    whether it matched or not."""
    match: float = 1.0
    miss: float = 0.0

    def value(self, signal: Signal) -> float:
        """What is weighted."""
        if self.source == _BINARY:
            return self.match if signal.matched else self.miss
        if self.source == _CONFIDENCE and not signal.matched:
            return self.miss
        return signal.confidence


class Score(msgspec.Struct, frozen=True):
    """A derivation that adds one score."""

    name: str
    inputs: tuple[Input, ...]

    @property
    def key(self) -> SignalKey:
        """The score as a signal."""
        return SignalKey(SCORE, self.name)

    @property
    def needs(self) -> frozenset[SignalKey]:
        """Every input."""
        return frozenset(each.key for each in self.inputs)

    @property
    def keys(self) -> frozenset[SignalKey]:
        """The score alone."""
        return frozenset({self.key})

    def derive(self, signals: SignalSet) -> SignalSet:
        """The set with the score."""
        return SignalSet({**signals.by_key, self.key: self._signal(signals)})

    def _signal(self, signals: SignalSet) -> Signal:
        given = [signals.get(each.key) for each in self.inputs]
        if failed := next((signal for signal in given if signal.failed), None):
            return Signal(self.key, matched=False, error=f"its input {failed.key} failed")
        parts = [each.weight * each.value(signal) for each, signal in zip(self.inputs, given, strict=True)]
        value = sum(parts)
        if not math.isfinite(value):
            return Signal(self.key, matched=False, error="its sum is beyond what can be computed with")
        return Signal(self.key, matched=False, confidence=value, detail=f"score {value:.3g}")


def scores(routing: Routing) -> tuple[Score, ...]:
    """The document's scores."""
    names = frozenset(score.name for score in routing.projections.scores)
    return tuple(
        Score(score.name, tuple(_input(given, names) for given in score.inputs))
        for score in routing.projections.scores
    )


def _input(given: ScoreInput, scores: frozenset[str]) -> Input:
    key = input_key(given, scores)
    # Scores and metrics are numbers: they have no match to ask for.
    number = key.family in {SCORE, KB_METRIC}
    source = _MEASURE if number else _SOURCES.get(given.value_source, given.value_source)
    return Input(
        key,
        given.weight,
        source,
        match=1.0 if given.match is None else given.match,
        miss=0.0 if given.miss is None else given.miss,
    )
