"""How one endpoint is chosen by its score."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from pointsman.placement.base import Asked, Scores, View
from pointsman.placement.busy import pressure

FALLBACKS: Final = 3
"""Endpoints named after the first; the data plane falls back to any other by itself."""
_SLACK: Final = 4.0
"""Requests above the bound that are let pass, as with few requests a ratio says nothing."""


class Best:
    """The highest score among endpoints that are not overloaded.

    Overloaded is who has more than ``bound`` times the mean of requests at work, and some. Affinity can
    never beat that; the overloaded come last, and stay fallbacks. Equal scores go to the least busy, then
    to the smallest share, then by address.
    """

    def __init__(self, bound: float | None = 1.5, *, fallbacks: int = FALLBACKS) -> None:
        self._bound = bound
        self._fallbacks = fallbacks

    def __call__(self, asked: Asked, views: Sequence[View], totals: Scores) -> Sequence[int]:  # noqa: ARG002
        """Those within the bound first, each group by score."""
        if len(views) == 1:
            return (0,)
        busy = [pressure(view) for view in views]
        limit = math.inf if self._bound is None else self._bound * sum(busy) / len(busy) + _SLACK

        def rank(index: int) -> tuple[bool, float, float, float]:
            return busy[index] > limit, -totals[index], busy[index], views[index].load.share

        return sorted(range(len(views)), key=rank)[: 1 + self._fallbacks]


class PowerOfTwo:
    """The better of two endpoints drawn by chance: near the best choice, and nobody herds to it."""

    def __init__(self, chance: Callable[[], float], *, fallbacks: int = FALLBACKS) -> None:
        """``chance`` draws from [0, 1)."""
        self._chance = chance
        self._fallbacks = fallbacks

    def __call__(self, asked: Asked, views: Sequence[View], totals: Scores) -> Sequence[int]:  # noqa: ARG002
        """The winner of the draw, then the others by score."""
        count = len(views)
        if count == 1:
            return (0,)
        one = int(self._chance() * count)
        other = (one + 1 + int(self._chance() * (count - 1))) % count
        winner = one if totals[one] >= totals[other] else other
        others = sorted((i for i in range(count) if i != winner), key=lambda i: -totals[i])
        return [winner, *others[: self._fallbacks]]


class WeightedRandom:
    """Each endpoint as often as its score says."""

    def __init__(self, chance: Callable[[], float], *, fallbacks: int = FALLBACKS) -> None:
        """``chance`` draws from [0, 1)."""
        self._chance = chance
        self._fallbacks = fallbacks

    def __call__(self, asked: Asked, views: Sequence[View], totals: Scores) -> Sequence[int]:  # noqa: ARG002
        """Drawn without putting back, so the fallbacks are drawn, too; scores of 0 come last."""
        draws = [math.log(1.0 - self._chance()) / total if total > 0 else -math.inf for total in totals]
        return sorted(range(len(views)), key=lambda index: -draws[index])[: 1 + self._fallbacks]
