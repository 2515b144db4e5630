"""Which signals a partition is about: its members are names, and several families may use one name."""

from collections.abc import Iterator

from pointsman.config.partition_members import family_of
from pointsman.config.projections import Partition
from pointsman.config.routing import Routing
from pointsman.core.signal import SignalKey


def members(routing: Routing, partition: Partition) -> tuple[SignalKey, ...]:
    """Its members in the order they are written; none where no family declares them all."""
    family = family_of(routing.signals, partition)
    return tuple(SignalKey(family, name) for name in partition.members) if family else ()


def partitioned(routing: Routing) -> Iterator[tuple[Partition, tuple[SignalKey, ...]]]:
    """Every partition that has members, with them."""
    for partition in routing.projections.partitions:
        if found := members(routing, partition):
            yield partition, found
