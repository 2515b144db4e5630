"""The load scorer: how busy an endpoint is now, beside the others."""

from collections.abc import Sequence
from typing import Final

from pointsman.placement.base import Asked, Scores, View

_SLACK: Final = 16.0
"""Requests more than the idlest that hardly matter: an engine runs that many side by side without strain."""
_FULL: Final = 0.9
"""Share of the KV cache in use from which an engine soon preempts."""


class Unbusy:
    """Requests at work or in line, relative to the idlest endpoint and the mean."""

    name = "load"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:  # noqa: ARG002  # the same for every request
        """1 for the idlest, 0 for one with twice the mean more."""
        busy = [pressure(view) for view in views]
        least = min(busy)
        scale = 2.0 * sum(busy) / len(busy) + _SLACK
        return [max(0.0, 1.0 - (each - least) / scale) for each in busy]


def pressure(view: View) -> float:
    """Requests there; those in line count twice, and an engine short of memory counts as longer."""
    load = view.load
    requests = load.busy + load.waiting
    full = load.report.kv_usage - _FULL if load.report else 0.0
    return requests * (1.0 + 10.0 * full) if full > 0 else float(requests)
