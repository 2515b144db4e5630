"""Which decisions can never win, and because of which other."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.core.decision import Decision, Strategy
from pointsman.core.rule import Rule
from pointsman.decisions.certainty import Graded, at_least, equal, more_than
from pointsman.decisions.rank import after_confidence, before_confidence, is_tiered
from pointsman.decisions.truth import Exclusions, implies, table_of, tautology, unsatisfiable

_MAX_COMBINATIONS = 512
"""Combinations of signals in which two decisions' confidences are compared; beyond, nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """Decisions as the questions below need them."""

    decisions: Sequence[Decision]
    strategy: Strategy
    exclusions: Exclusions = frozenset()
    graded: Graded = frozenset()

    def unmatchable(self) -> frozenset[int]:
        """Decisions whose rule never holds."""
        return frozenset(
            index
            for index, decision in enumerate(self.decisions)
            if unsatisfiable(decision.rule, self.exclusions)
        )

    def catch_alls(self) -> frozenset[int]:
        """Decisions whose rule always holds."""
        return frozenset(
            index
            for index, decision in enumerate(self.decisions)
            if tautology(decision.rule, self.exclusions)
        )

    def shadowed(self) -> dict[int, int]:
        """Each decision that never wins -> one that beats it whenever it matches, a catch-all if there is."""
        unmatchable, catch_alls = self.unmatchable(), self.catch_alls()
        order = sorted(range(len(self.decisions)), key=lambda index: index not in catch_alls)
        found: dict[int, int] = {}
        for loser in range(len(self.decisions)):
            winners = (w for w in order if w != loser and self._always_beats(w, loser))
            if loser not in unmatchable and (winner := next(winners, None)) is not None:
                found[loser] = winner
        return found

    def same(self, one: int, other: int) -> bool:
        """Whether two decisions match exactly the same requests at the same tier and priority."""
        first, second = self.decisions[one], self.decisions[other]
        return (
            _level(first) == _level(second)
            and implies(first.rule, second.rule, self.exclusions)
            and implies(second.rule, first.rule, self.exclusions)
        )

    def tied(self, one: int, other: int) -> bool:
        """Whether two decisions certainly can match with nothing but their names to order them."""
        first, second = self.decisions[one], self.decisions[other]
        table = table_of([first.rule, second.rule], self.exclusions)
        if table is None or _level(first) != _level(second):
            return False
        both = table.column(first.rule) & table.column(second.rule)
        return both.bit_count() <= _MAX_COMBINATIONS and any(
            equal(first.rule, second.rule, holding, self.graded) for holding in table.combinations(both)
        )

    def _always_beats(self, winner: int, loser: int) -> bool:
        """Whether one decision matches and outranks another whenever that one matches."""
        first, second = self.decisions[winner], self.decisions[loser]
        tiered = is_tiered(self.decisions)
        ahead = before_confidence(first, self.strategy, tiered=tiered)
        behind = before_confidence(second, self.strategy, tiered=tiered)
        if ahead > behind or not implies(second.rule, first.rule, self.exclusions):
            return False
        wins_ties = after_confidence(first, self.strategy, tiered=tiered) < after_confidence(
            second, self.strategy, tiered=tiered
        )
        return ahead < behind or self._more_confident(first.rule, second.rule, ties=wins_ties)

    def _more_confident(self, one: Rule, other: Rule, *, ties: bool) -> bool:
        """Whether ``one`` is certainly ahead by confidence whenever ``other`` matches."""
        table = table_of([one, other], self.exclusions)
        if table is None:
            return ties and one == other
        column = table.column(other)
        return column.bit_count() <= _MAX_COMBINATIONS and all(
            more_than(one, other, holding, self.graded)
            or (ties and at_least(one, other, holding, self.graded))
            for holding in table.combinations(column)
        )


def _level(decision: Decision) -> tuple[int, int]:
    """What must differ for two decisions never to be ordered by name."""
    return (decision.tier, decision.priority)
