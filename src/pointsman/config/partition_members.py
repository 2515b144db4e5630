"""The family whose signals a partition's members are."""

from typing import Final

from pointsman.config.projections import Partition
from pointsman.config.signals import FAMILY_KEYS, Signals

SCORED: Final = frozenset({"domain", "embedding"})
"""Families that partitions are usually of; they are meant where another family has the same names."""
_ASKED_BY_LABEL: Final = frozenset({"classifier"})
"""Families whose signals exist only as conditions ask for them."""


def families_of(signals: Signals, partition: Partition) -> tuple[str, ...]:
    """The families that may be meant: those that declare every member."""
    wanted = set(partition.members)
    found = tuple(
        family
        for family in FAMILY_KEYS
        if family not in _ASKED_BY_LABEL and wanted and wanted <= set(signals.names(family))
    )
    return tuple(family for family in found if family in SCORED) or found


def family_of(signals: Signals, partition: Partition) -> str:
    """The one family that is meant; empty where there is none, or more than one."""
    found = families_of(signals, partition)
    return found[0] if len(found) == 1 else ""
