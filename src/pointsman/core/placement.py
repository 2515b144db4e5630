"""Which replica serves a request, and why."""

from collections.abc import Mapping, Sequence

import msgspec


class Scored(msgspec.Struct, frozen=True):
    """One endpoint as a policy saw it; the higher the score, the better."""

    address: str
    score: float
    parts: Mapping[str, float] = {}
    """By scorer, each 0..1 before its weight."""


class Placement(msgspec.Struct, frozen=True):
    """The endpoint chosen, and those to try after it."""

    primary: str
    """``host:port``, as the data plane connects to it."""
    fallbacks: tuple[str, ...] = ()
    """In the order they are tried when the primary cannot be reached."""
    policy: str = ""
    """The policy's name in the document."""
    reason: str = ""
    """Why this one, for people."""
    considered: tuple[str, ...] = ()
    """Every endpoint that was graded."""
    totals: Sequence[float] = ()
    """The score of each of these."""
    parts: Mapping[str, Sequence[float]] = {}
    """By scorer, the grade of each of these, 0..1 before its weight."""
    keys: tuple[int, ...] = ()
    """The prompt's blocks, each key covering everything before it: what is learned from this placement."""
    tokens: int = 0
    """Estimated length of the prompt."""
    cached: int = 0
    """How many of these the primary is expected to have in its cache."""

    @property
    def scores(self) -> tuple[Scored, ...]:
        """Every endpoint that was graded, best first; made when it is read."""
        graded = (
            Scored(address, self.totals[index], {name: grades[index] for name, grades in self.parts.items()})
            for index, address in enumerate(self.considered)
        )
        return tuple(sorted(graded, key=lambda one: -one.score))

    @property
    def destinations(self) -> tuple[str, ...]:
        """The primary and its fallbacks."""
        return (self.primary, *self.fallbacks)
