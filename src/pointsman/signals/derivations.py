"""The one table of signals made of other signals, and the order they run in.

Every derivation reads signals as they are in the end: after whatever else replaces them. The exception is
what replaces one and the same signal in turn, where the table's order holds: a partition decides before a
composer does. Loading a document refuses derivations that read each other in a circle.
"""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from graphlib import TopologicalSorter
from typing import Final

from pointsman.config.routing import Routing
from pointsman.core.order import run_before
from pointsman.core.signal import SignalKey
from pointsman.signals.bands import mappings
from pointsman.signals.base import Derivation
from pointsman.signals.composer import composers
from pointsman.signals.partition import partitions
from pointsman.signals.projection import scores

Factory = Callable[[Routing], Sequence[Derivation]]
"""Builds all derivations of one kind that a document describes."""

FACTORIES: Final[tuple[Factory, ...]] = (partitions, composers, scores, mappings)
"""In the order in which they replace one another's signals."""


def build_derivations(routing: Routing, used: AbstractSet[SignalKey]) -> tuple[Derivation, ...]:
    """The derivations that ``used`` depends on, directly or through one another, in the order they run."""
    every = [derivation for factory in FACTORIES for derivation in factory(routing)]
    before = run_before(every)
    needed: set[int] = set()
    waiting = [index for index, derivation in enumerate(every) if not derivation.keys.isdisjoint(used)]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            waiting.extend(before[index])
    order = TopologicalSorter({index: sorted(before[index]) for index in sorted(needed)})
    return tuple(every[index] for index in order.static_order())


def observed(used: AbstractSet[SignalKey], derivations: Sequence[Derivation]) -> frozenset[SignalKey]:
    """What has to be observed so that ``used`` can be decided on: itself and what derivations read."""
    return frozenset(used).union(*(derivation.needs for derivation in derivations))
