"""Shares of cases, with how far chance alone could have moved them."""

import math
from typing import Final

import msgspec

_Z: Final = 1.959963984540054
"""Two-sided 95% of a normal distribution."""


class Rate(msgspec.Struct, frozen=True):
    """``hits`` of ``total``, with the 95% interval after Wilson (JASA 22, 1927): sound at 0 and 1 too."""

    hits: int
    total: int
    share: float
    """hits / total; 0 of nothing."""
    low: float
    high: float


def rate(hits: int, total: int) -> Rate:
    """The share with its interval; of nothing, all that is known is that it lies between 0 and 1."""
    if total == 0:
        return Rate(0, 0, 0.0, 0.0, 1.0)
    share = hits / total
    square = _Z * _Z / total
    centre = (share + square / 2) / (1 + square)
    reach = _Z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
    # At the ends the interval touches them exactly; rounding must not take it beyond.
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == total else min(1.0, centre + reach)
    return Rate(hits, total, share, low, high)


def mcnemar(only_first: int, only_second: int) -> float:
    """How likely chance alone splits this unevenly the cases that only one of two got right.

    Exact and two-sided (McNemar, Psychometrika 12, 1947): under no difference each such case falls to either
    with probability 1/2.
    """
    total = only_first + only_second
    if total == 0:
        return 1.0
    below = math.fsum(_binomial(total, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2.0 * below)


def _binomial(total: int, k: int) -> float:
    """P(k of total) at 1/2; in logarithms, since 2**total overflows."""
    log = math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
    return math.exp(log - total * math.log(2))
