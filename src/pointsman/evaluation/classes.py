"""Decisions that were expected against decisions that were made."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from pointsman.evaluation.outcome import NONE, Judged
from pointsman.evaluation.rates import Rate, rate


class ClassScore(msgspec.Struct, frozen=True):
    """How one decision did. Shares of nothing are 0."""

    name: str
    expected: int
    """Cases that should have met it."""
    made: int
    """Cases that did, among those that expect some decision."""
    hits: int
    precision: float
    """Of the cases that met it, the share that should have."""
    recall: Rate
    """Of the cases that should have met it, the share that did."""
    f1: float
    """Harmonic mean of both."""


class Confusion(msgspec.Struct, frozen=True):
    """Cases by the decision expected (row) and made (column); both in the order of ``names``."""

    names: tuple[str, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()

    @property
    def total(self) -> int:
        """Cases that expect a decision."""
        return sum(map(sum, self.counts))

    def mixed_up(self) -> list[tuple[str, str, int]]:
        """Expected, made and how often, for what went wrong; most frequent first."""
        pairs = [
            (self.names[row], self.names[column], count)
            for row, counts in enumerate(self.counts)
            for column, count in enumerate(counts)
            if count and row != column
        ]
        return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def confusion(judged: Sequence[Judged], order: Sequence[str]) -> Confusion:
    """Count the cases that expect a decision. Names come in the given order, others after them."""
    pairs = Counter(
        (each.case.expect.decision or NONE, each.outcome.decision)
        for each in judged
        if not isinstance(each.case.expect.decision, msgspec.UnsetType)
    )
    seen = {name for pair in pairs for name in pair}
    names = (*(name for name in order if name in seen), *sorted(seen - set(order)))
    return Confusion(names, tuple(tuple(pairs[row, column] for column in names) for row in names))


def class_scores(table: Confusion) -> tuple[ClassScore, ...]:
    """Precision, recall and F1 of each decision that was expected or made."""
    made = [sum(column) for column in zip(*table.counts, strict=True)]
    return tuple(
        _score(name, sum(table.counts[index]), made[index], table.counts[index][index])
        for index, name in enumerate(table.names)
    )


def macro_f1(scores: Sequence[ClassScore]) -> float:
    """The mean F1 of the decisions that were expected: each counts alike, however frequent it is."""
    expected = [score.f1 for score in scores if score.expected]
    return sum(expected) / len(expected) if expected else 0.0


def _score(name: str, expected: int, made: int, hits: int) -> ClassScore:
    return ClassScore(
        name,
        expected,
        made,
        hits,
        precision=hits / made if made else 0.0,
        recall=rate(hits, expected),
        f1=2 * hits / (expected + made),
    )
