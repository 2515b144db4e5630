"""What has to run before what, among things that read signals and add or replace them."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from pointsman.core.signal import SignalKey


class Reader(Protocol):
    """Something that makes signals of signals."""

    @property
    def needs(self) -> AbstractSet[SignalKey]:
        """Every signal it reads."""

    @property
    def keys(self) -> AbstractSet[SignalKey]:
        """Every signal it adds or replaces."""


def run_before(readers: Sequence[Reader]) -> dict[int, set[int]]:
    """The positions of those that have to run before each.

    A signal is read as it is in the end, after whatever else replaces it. Those that replace one and the
    same signal do so in the order given.
    """
    makers: dict[SignalKey, list[int]] = defaultdict(list)
    for index, reader in enumerate(readers):
        for key in reader.keys:
            makers[key].append(index)
    before: dict[int, set[int]] = {index: set() for index in range(len(readers))}
    for index, reader in enumerate(readers):
        for key in reader.keys | reader.needs:
            own = key in reader.keys
            before[index].update(
                maker for maker in makers[key] if maker != index and (maker < index or not own)
            )
    return before
