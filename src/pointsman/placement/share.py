"""The share scorer: who got more than an even share of the latest requests, whether or not they still run."""

from collections.abc import Sequence
from typing import Final

from pointsman.placement.base import Asked, Scores, View

_LEAST: Final = 0.5
"""Smaller shares count as this one: an endpoint that comes back must not draw everything at once."""


class EvenShare:
    """Requests in flight say little while they are few, and then affinity alone would decide.

    The share of the latest placements says the same at every load, so that beginnings of sessions spread
    evenly although any endpoint would do.
    """

    name = "share"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:  # noqa: ARG002  # the same for every request
        """1/2 at an even share, 0 from twice that on."""
        return [max(0.0, 1.0 - max(view.load.share, _LEAST) / 2.0) for view in views]
