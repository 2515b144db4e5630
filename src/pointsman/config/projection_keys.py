"""What scores read and make, as signals."""

from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.projections import ScoreInput
from pointsman.core.signal import SignalKey

BAND: Final = "projection"
"""What conditions, and inputs of scores, call a mapping's output."""
SCORE: Final = "projection_score"
"""The family of scores; no condition can name it."""
KB_METRIC: Final = "kb_metric"


def input_key(given: ScoreInput, scores: AbstractSet[str]) -> SignalKey:
    """The signal an input reads; ``scores`` are the names of all scores."""
    if given.type == KB_METRIC:
        return SignalKey(KB_METRIC, f"{given.kb}:{given.metric}")
    if given.type == BAND and given.name in scores:
        return SignalKey(SCORE, given.name)
    return SignalKey(given.type, given.name)
