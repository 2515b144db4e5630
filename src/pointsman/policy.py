"""One routing document compiled: what is observed, what is derived from it, what is decided."""

from functools import cached_property

import msgspec

from pointsman.core.decision import Decision, Strategy
from pointsman.decisions.plan import Plan
from pointsman.signals.base import Derivation, Evaluator


class Policy(msgspec.Struct, frozen=True, dict=True):
    """The rules behind one or several virtual model names; policies know nothing of each other."""

    name: str = "default"
    """The recipe's name; the top-level routing is ``default``."""
    decisions: tuple[Decision, ...] = ()
    evaluators: tuple[Evaluator, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    """In the order they run."""
    strategy: Strategy = Strategy.PRIORITY
    needs_identity: bool = False
    """Whether a request that does not say who asks is refused, because decisions depend on it."""

    @cached_property
    def plan(self) -> Plan:
        """The decisions, ready to be chosen among."""
        return Plan(self.decisions, self.strategy)
