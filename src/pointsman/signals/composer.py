"""Composers: a level of a complexity rule holds only where the composer's rule holds too.

The two are an AND of three truths, as everywhere in decisions: a composer that certainly does not hold takes
the match away, and one that depends on a failed signal makes the level that matched a failed one. The level's
confidence stays its own.
"""

import msgspec

from pointsman.config.routing import Routing
from pointsman.core.rule import Rule
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.compile import compile_rule, keys
from pointsman.decisions.evaluate import truth

FAMILY = "complexity"
_LEVELS = ("hard", "medium", "easy")


class Composer(msgspec.Struct, frozen=True):
    """A derivation that takes matches of one complexity rule away."""

    name: str
    """Of the complexity rule."""
    rule: Rule

    @property
    def needs(self) -> frozenset[SignalKey]:
        """What the rule reads; the levels themselves are those somebody asks for."""
        return frozenset(keys(self.rule))

    @property
    def keys(self) -> frozenset[SignalKey]:
        """The levels, replaced."""
        return frozenset(SignalKey(FAMILY, f"{self.name}:{level}") for level in _LEVELS)

    def derive(self, signals: SignalSet) -> SignalSet:
        """The set with the levels held against the rule."""
        holds = truth(self.rule, signals)
        if holds:
            return signals
        levels = [signals.by_key[key] for key in self.keys if key in signals.by_key]
        return SignalSet({**signals.by_key, **{level.key: self._without(level, holds) for level in levels}})

    def _without(self, level: Signal, holds: bool | None) -> Signal:  # noqa: FBT001  # a truth of three, no switch
        if holds is None and level.matched and not level.failed:
            failed = f"the composer of {self.name} depends on a failed signal"
            return msgspec.structs.replace(level, matched=False, error=failed)
        if holds is False:
            detail = f"the composer of {self.name} does not hold" if level.matched else level.detail
            return msgspec.structs.replace(level, matched=False, error="", assumed=False, detail=detail)
        return level


def composers(routing: Routing) -> tuple[Composer, ...]:
    """The document's composers."""
    return tuple(
        Composer(rule.name, compile_rule(rule.composer))
        for rule in routing.signals.complexity
        if rule.composer is not None
    )
