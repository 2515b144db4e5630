"""Values that the shipped encoder yields for 2,000 texts; written by ``make ranges``."""

from typing import Final

import msgspec


class Range(msgspec.Struct, frozen=True):
    """Where the values of a measure lie."""

    low: float
    """Nearly every text has at least this: the first percentile."""
    high: float
    """Hardly any text has more than this: the 99th percentile."""


JAILBREAK: Final = Range(0.0147, 0.9966)
"""Probability of the window that looks most like a jailbreak, over attacks and harmless texts."""
DOMAIN: Final = Range(0.2328, 0.9989)
"""Probability of the most probable domain."""
UNRELATED: Final = Range(-0.1055, 0.3615)
"""Cosine of two texts taken at random."""
NEAREST: Final = Range(0.2706, 0.9224)
"""Cosine of a text and the nearest other one."""
