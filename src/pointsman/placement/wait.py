"""The wait scorer: prompts that an endpoint has to compute before this one."""

from collections.abc import Sequence
from typing import Final

from pointsman.placement.base import Asked, Scores, View

LENGTHS: Final = 4.0
"""Backlog in prompt lengths at which the score is 0; as a weight, it makes a waiting token cost as much as
an uncached one."""


class ShortWait:
    """The backlog in tokens, beside the shortest, to the length of this prompt or of a usual one.

    Requests in flight do not show it: most of their time is spent generating, which delays nobody much.
    """

    name = "wait"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """1 for the shortest backlog, 0 for four prompts more."""
        length = LENGTHS * max(asked.tokens, asked.usual_tokens, 1.0)
        least = min(view.load.backlog for view in views)
        return [max(0.0, 1.0 - (view.load.backlog - least) / length) for view in views]
