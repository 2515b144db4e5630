"""``latency_aware``: the candidate that answered fastest lately."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from pointsman.config.algorithms import LatencyAware
from pointsman.config.decisions import Decision
from pointsman.core.model import Candidate
from pointsman.fleet.state import Measured
from pointsman.selection.base import Asked, Choice
from pointsman.selection.dependencies import Dependencies

EXPLORED: Final = 0.05
"""Share of streamed requests that may go to a candidate nothing is known about."""
PERCENTILE: Final = 95
"""Of both times, where a document names neither."""


class Fastest:
    """Each time over the least of all candidates, their mean; the lowest wins. Without data the first.

    Only streams are measured, so only streams explore.
    """

    algorithm = "latency_aware"

    def __init__(
        self,
        fleet: Measured,
        *,
        ttft: int | None,
        tpot: int | None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._fleet = fleet
        self._ttft = ttft
        self._tpot = tpot
        self._draw = draw

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """A candidate is compared by the times that are known of it."""
        scores = relative([self._times(candidate.target.name) for candidate in candidates])
        unknown = [each for each, score in zip(candidates, scores, strict=True) if score is None]
        known = [(score, index) for index, score in enumerate(scores) if score is not None]
        if unknown and asked.request.stream and self._draw() < EXPLORED:
            return Choice(unknown[int(self._draw() * len(unknown))], "exploring: no recent times")
        if not known:
            return Choice(candidates[0], "no recent times", fallback=True)
        best, index = min(known)
        return Choice(candidates[index], f"{best:.2f} times the fastest")

    def _times(self, model: str) -> tuple[float | None, ...]:
        return (
            self._fleet.ttft_ms(model, self._ttft) if self._ttft else None,
            self._fleet.tpot_ms(model, self._tpot) if self._tpot else None,
        )


def relative(times: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    """Mean of each candidate's times, every one over the least of its kind; ``None`` without any."""
    least = [min((t for t in kind if t is not None), default=None) for kind in zip(*times, strict=True)]
    found = []
    for row in times:
        shares = [
            t / low if low else 1.0 + t
            for t, low in zip(row, least, strict=True)
            if t is not None and low is not None
        ]
        found.append(sum(shares) / len(shares) if shares else None)
    return tuple(found)


def latency_aware(decision: Decision, dependencies: Dependencies) -> Fastest:
    """The selector; a document that names no percentile gets the 95th of both times."""
    written = decision.algorithm.latency_aware if decision.algorithm else None
    settings = written or LatencyAware()
    ttft, tpot = settings.ttft_percentile, settings.tpot_percentile
    if ttft is None and tpot is None:
        ttft = tpot = PERCENTILE
    return Fastest(dependencies.fleet, ttft=ttft, tpot=tpot)
