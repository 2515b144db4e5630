"""How long to wait after trouble, so that many gateways do not return at the same time."""

import random
from collections.abc import Callable
from dataclasses import dataclass

Chance = Callable[[], float]
"""A number in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with jitter, bounded."""

    first_s: float = 0.2
    limit_s: float = 30.0

    def delay_s(self, failures: int, chance: Chance = random.random) -> float:
        """After ``failures`` (>= 1) in a row: between a half and all of the exponential delay."""
        full = min(self.limit_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + 0.5 * chance())


def around(seconds: float, share: float = 0.2, chance: Chance = random.random) -> float:
    """``seconds``, give or take ``share`` of it."""
    return seconds * (1.0 + share * (2.0 * chance() - 1.0))
