"""Mappings of projections: a score cut into named bands, which are signals of the family ``projection``.

``threshold_bands`` matches the first band whose bounds hold, ``multi_emit`` every one. A band without bounds
always holds. With a calibration, the confidence of a band that matched is a half at an edge and rises with
the distance to the nearest one; without, it is 1. Where the score has failed, every band has.
"""

import math
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Final

import msgspec

from pointsman.config.projection_keys import BAND, SCORE
from pointsman.config.projections import MappingOutput, ScoreMapping
from pointsman.config.routing import Routing
from pointsman.core.signal import Signal, SignalKey, SignalSet

_HOLDS: Final = MappingProxyType({"gt": gt, "gte": ge, "lt": lt, "lte": le})


class Band(msgspec.Struct, frozen=True):
    """An interval of a score."""

    key: SignalKey
    bounds: tuple[tuple[str, float], ...] = ()
    """``gt``, ``gte``, ``lt`` or ``lte`` with the edge; all must hold."""

    def holds(self, value: float) -> bool:
        """Whether the value lies in it."""
        return all(_HOLDS[name](value, edge) for name, edge in self.bounds)

    def distance(self, value: float) -> float:
        """To the nearest edge; infinite where there is none."""
        return min((abs(value - edge) for _, edge in self.bounds), default=math.inf)

    def __str__(self) -> str:
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        return " and ".join(f"{signs[name]} {edge:g}" for name, edge in self.bounds)


class Bands(msgspec.Struct, frozen=True):
    """A derivation that adds the bands of one mapping."""

    source: SignalKey
    """The score."""
    bands: tuple[Band, ...]
    several: bool = False
    """Whether more than the first that holds may match."""
    slope: float | None = None
    """Of the calibration; ``None`` for none."""

    @property
    def needs(self) -> frozenset[SignalKey]:
        """The score alone."""
        return frozenset({self.source})

    @property
    def keys(self) -> frozenset[SignalKey]:
        """Every band."""
        return frozenset(band.key for band in self.bands)

    def derive(self, signals: SignalSet) -> SignalSet:
        """The set with the bands."""
        score = signals.get(self.source)
        if score.failed:
            error = f"its score {self.source.name} failed"
            added = [Signal(band.key, matched=False, error=error) for band in self.bands]
        else:
            holding = [band for band in self.bands if band.holds(score.confidence)]
            matching = holding if self.several else holding[:1]
            added = [self._signal(band, score.confidence, matched=band in matching) for band in self.bands]
        return SignalSet({**signals.by_key, **{signal.key: signal for signal in added}})

    def _signal(self, band: Band, value: float, *, matched: bool) -> Signal:
        if not matched:
            return Signal(band.key, matched=False)
        confidence = 1.0
        if self.slope is not None:
            confidence = 1 / (1 + math.exp(-self.slope * band.distance(value)))
        bounds = f" {band}" if band.bounds else ""
        detail = f"{self.source.name} {value:.3g}{bounds}"
        return Signal(band.key, matched=True, confidence=confidence, detail=detail)


def mappings(routing: Routing) -> tuple[Bands, ...]:
    """The document's mappings."""
    return tuple(_bands(mapping) for mapping in routing.projections.mappings)


def _bands(mapping: ScoreMapping) -> Bands:
    return Bands(
        SignalKey(SCORE, mapping.source),
        tuple(Band(SignalKey(BAND, output.name), _bounds(output)) for output in mapping.outputs),
        several=mapping.method == "multi_emit",
        slope=mapping.calibration.slope if mapping.calibration else None,
    )


def _bounds(output: MappingOutput) -> tuple[tuple[str, float], ...]:
    written = {name: getattr(output, name) for name in _HOLDS}
    return tuple((name, edge) for name, edge in written.items() if edge is not None)
