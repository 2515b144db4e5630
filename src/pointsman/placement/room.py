"""The room scorer: what a prompt would push out of an endpoint's cache."""

from collections.abc import Sequence

from pointsman.placement.base import Asked, Scores, View


class OldestOut:
    """Tokens to compute, weighed by how lately that was used which has to make room for them.

    All caches together then come near to one large cache that gives up what was not used for longest:
    what is new goes where it costs least, not where few requests are just because much is kept there.
    """

    name = "room"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """1 where nothing of use is lost; 0 where a whole prompt pushes out what was used just now."""
        length = max(asked.tokens, asked.usual_tokens, 1.0)
        longest = max(view.spare for view in views)
        if not longest:
            return [1.0] * len(views)
        return [1.0 - _lost(view.spare / longest, asked.tokens - view.cached, length) for view in views]


def _lost(age: float, missing: int, length: float) -> float:
    """``age`` to the oldest; not a number where all have room."""
    return (1.0 - age) * min(1.0, max(0.0, missing / length)) if age < 1.0 else 0.0
