"""How long phases took."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

TOTAL: Final = "total"
BINS: Final = 24


class Spread(msgspec.Struct, frozen=True):
    """Percentiles of durations, microseconds; by nearest rank, so each was really measured."""

    count: int
    p50: float
    p90: float
    p99: float
    most: float


class Bin(msgspec.Struct, frozen=True):
    """Durations from ``start`` to below ``end`` microseconds."""

    start: float
    end: float
    count: int


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the (ascending, not empty) values does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Iterable[float]) -> Spread:
    """Percentiles of at least one value."""
    ordered = sorted(values)
    return Spread(
        len(ordered),
        percentile(ordered, 0.5),
        percentile(ordered, 0.9),
        percentile(ordered, 0.99),
        ordered[-1],
    )


def by_phase(requests: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """The spread of each phase over the requests that reached it, in order of appearance; the total last."""
    names = [name for name in dict.fromkeys(n for phases in requests for n in phases) if name != TOTAL]
    return {
        name: spread(values)
        for name in (*names, TOTAL)
        if (values := [phases[name] for phases in requests if name in phases])
    }


def histogram(values: Sequence[float], bins: int = BINS) -> tuple[Bin, ...]:
    """Counts in bins that grow by a constant factor, from the least to the greatest positive value."""
    positive = [value for value in values if value > 0]
    if not positive:
        return ()
    least, greatest = min(positive), max(positive)
    start = math.log(least)
    # Differences of logarithms rather than logarithms of ratios, which overflow.
    step = (math.log(greatest) - start) / bins
    if step <= 0:
        return (Bin(least, greatest, len(positive)),)
    counts = [0] * bins
    for value in positive:
        counts[min(bins - 1, int((math.log(value) - start) / step))] += 1
    edges = [least, *(min(greatest, math.exp(start + step * index)) for index in range(1, bins)), greatest]
    return tuple(Bin(edges[index], edges[index + 1], count) for index, count in enumerate(counts))
