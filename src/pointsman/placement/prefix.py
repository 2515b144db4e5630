"""The prefix scorer: how much of the prompt an endpoint need not compute."""

from collections.abc import Sequence

from pointsman.placement.base import Asked, Scores, View


class CachedPrefix:
    """Tokens that the cache saves, to the length of this prompt or of a usual one, whichever is longer.

    That makes the score a statement about work rather than about the prompt: 500 cached tokens of a system
    prompt are nearly all of a first question, and still little beside a usual prompt of 4,000. Relative to
    the prompt alone, every session would follow the first one that shares its system prompt.
    """

    name = "prefix"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """0 for nothing cached, 1 for all of a prompt that is not shorter than usual."""
        length = max(asked.tokens, asked.usual_tokens, 1.0)
        return [min(1.0, view.cached / length) for view in views]
