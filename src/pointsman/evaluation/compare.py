"""The same cases under two documents."""

from collections.abc import Sequence

import msgspec

from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.rates import Rate, mcnemar, rate


class Move(msgspec.Struct, frozen=True):
    """A case that the two documents treat differently."""

    line: int
    text: str
    before: str
    """Decision and model under the first document."""
    after: str
    """Under the other."""
    right_before: bool
    right_after: bool


class Comparison(msgspec.Struct, frozen=True):
    """How the other document does on the same cases."""

    other: Rate
    """Its accuracy."""
    fixed: int
    """Wrong before, right after."""
    broken: int
    """Right before, wrong after."""
    p_value: float
    """McNemar's exact test: how likely chance alone splits fixed and broken this unevenly."""
    moves: tuple[Move, ...]
    """First what is broken, then what is fixed, then the rest."""


def compare(before: Sequence[Judged], after: Sequence[Judged]) -> Comparison:
    """Both are of the same cases in the same order."""
    pairs = list(zip(before, after, strict=True))
    fixed = sum(1 for one, two in pairs if one.misses and not two.misses)
    broken = sum(1 for one, two in pairs if not one.misses and two.misses)
    moves = [
        Move(
            one.line,
            one.case.shown,
            _what(one),
            _what(two),
            right_before=not one.misses,
            right_after=not two.misses,
        )
        for one, two in pairs
        if _what(one) != _what(two) or bool(one.misses) != bool(two.misses)
    ]
    right = rate(sum(1 for each in after if not each.misses), len(after))
    return Comparison(right, fixed, broken, mcnemar(broken, fixed), tuple(sorted(moves, key=_rank)))


def _rank(move: Move) -> int:
    if move.right_before == move.right_after:
        return 2
    return int(move.right_after)


def _what(judged: Judged) -> str:
    outcome = judged.outcome
    end = outcome.model or (f"answered {outcome.status}" if outcome.status else "")
    return f"{outcome.decision} {end}".strip()
