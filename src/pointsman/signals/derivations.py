"""The one table of signals made of other signals, in the order they run."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.routing import Routing
from pointsman.core.signal import SignalKey
from pointsman.signals.base import Derivation

Factory = Callable[[Routing, AbstractSet[SignalKey]], Sequence[Derivation]]
"""Builds the derivations of one kind that the signals in use depend on."""

FACTORIES: Final[tuple[Factory, ...]] = ()
"""In the order they run: partitions, composers, projections."""


def build_derivations(routing: Routing, used: AbstractSet[SignalKey]) -> tuple[Derivation, ...]:
    """The derivations that ``used`` depends on, directly or through one another, in the order they run."""
    needed = set(used)
    built: list[Derivation] = []
    for factory in reversed(FACTORIES):
        found = factory(routing, needed)
        needed |= {key for derivation in found for key in derivation.needs}
        built[:0] = found
    return tuple(built)


def observed(used: AbstractSet[SignalKey], derivations: Sequence[Derivation]) -> frozenset[SignalKey]:
    """What has to be observed so that ``used`` can be decided on: itself and what derivations read."""
    return frozenset(used).union(*(derivation.needs for derivation in derivations))
