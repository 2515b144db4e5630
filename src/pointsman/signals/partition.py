"""Partitions: signals that compete, of which at most one stays matched.

Of the members that matched the most confident stays, the earlier written among equals; where none matched,
the default does, if there is one. ``softmax_exclusive`` also replaces the confidence of each member by its
share in the softmax of all of them: the shares sum to one, and a lower temperature makes the best surer.

A member that failed might have been the best. Then those that matched have failed too, as has the default
where none did; under ``softmax_exclusive`` all have, because no share is known. The others stay unmatched.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pointsman.config.routing import Routing
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.partitions import partitioned

DEFAULT_TEMPERATURE: Final = 0.1
"""Of a softmax whose document sets none."""


class Partition(msgspec.Struct, frozen=True):
    """A derivation that leaves at most one of ``members`` matched."""

    name: str
    members: tuple[SignalKey, ...]
    default: SignalKey | None = None
    temperature: float | None = None
    """Of the softmax; ``None`` leaves confidences as they are."""

    @property
    def needs(self) -> frozenset[SignalKey]:
        """All members, also those that no decision asks for: they compete."""
        return frozenset(self.members)

    @property
    def keys(self) -> frozenset[SignalKey]:
        """All members, replaced."""
        return frozenset(self.members)

    def derive(self, signals: SignalSet) -> SignalSet:
        """The set with at most one member matched."""
        members = [signals.get(key) for key in self.members]
        failed = next((member for member in members if member.failed), None)
        settled = self._settled(members) if failed is None else self._unsettled(members, failed)
        return SignalSet({**signals.by_key, **{member.key: member for member in settled}})

    def _settled(self, members: Sequence[Signal]) -> list[Signal]:
        matched = [member for member in members if member.matched]
        best = max(matched, key=lambda member: member.confidence).key if matched else self.default
        shares = self._shares(members)
        return [self._outcome(member, best, shares[member.key], fallback=not matched) for member in members]

    def _outcome(self, member: Signal, best: SignalKey | None, share: float, *, fallback: bool) -> Signal:
        won = member.key == best
        detail = member.detail
        if won and fallback:
            detail = f"the default of {self.name}"
        elif member.matched and not won and best is not None:
            detail = f"yields to {best.name} in {self.name}"
        return msgspec.structs.replace(member, matched=won, confidence=share, detail=detail)

    def _unsettled(self, members: Sequence[Signal], failed: Signal) -> list[Signal]:
        reason = f"{failed.key} of the partition {self.name} failed"
        none = not any(member.matched and not member.failed for member in members)
        lost = [
            member
            for member in members
            if not member.failed
            and (member.matched or self.temperature is not None or (none and member.key == self.default))
        ]
        return [Signal(member.key, matched=False, cost_us=member.cost_us, error=reason) for member in lost]

    def _shares(self, members: Sequence[Signal]) -> Mapping[SignalKey, float]:
        if self.temperature is None:
            return {member.key: member.confidence for member in members}
        # The greatest is subtracted, so that no power overflows however low the temperature.
        top = max(member.confidence for member in members)
        powers = [math.exp((member.confidence - top) / self.temperature) for member in members]
        total = math.fsum(powers)
        return {member.key: power / total for member, power in zip(members, powers, strict=True)}


def partitions(routing: Routing) -> tuple[Partition, ...]:
    """The document's partitions."""
    return tuple(
        Partition(
            written.name,
            members,
            SignalKey(members[0].family, written.default) if written.default else None,
            (written.temperature or DEFAULT_TEMPERATURE)
            if written.semantics == "softmax_exclusive"
            else None,
        )
        for written, members in partitioned(routing)
    )
