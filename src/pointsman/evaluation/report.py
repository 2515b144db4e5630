"""Everything an evaluation found out, as one value."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from pointsman.evaluation.classes import ClassScore, Confusion, class_scores, confusion, macro_f1
from pointsman.evaluation.cost import Cost, Price, costs
from pointsman.evaluation.latency import TOTAL, Bin, Spread, by_phase, histogram
from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.rates import Rate, rate
from pointsman.evaluation.signal_scores import SignalScore, signal_scores


class Report(msgspec.Struct, frozen=True):
    """Shares, confusion, durations and costs of one run over a file of cases."""

    accuracy: Rate
    """Cases that did all that was expected of them."""
    decisions: tuple[ClassScore, ...]
    macro_f1: float
    confusion: Confusion
    languages: Mapping[str, Rate]
    """By label, of the cases that have one."""
    tags: Mapping[str, Rate]
    signals: tuple[SignalScore, ...]
    signal_failures: Mapping[str, int]
    """Signals that could not be computed, and in how many cases."""
    phases: Mapping[str, Spread]
    total: tuple[Bin, ...]
    """Histogram of the total duration."""
    costs: tuple[Cost, ...]
    completion_tokens: int
    """Assumed length of an answer, for the costs."""
    judged: tuple[Judged, ...]

    @property
    def misses(self) -> tuple[Judged, ...]:
        """The cases that did not do all that was expected."""
        return tuple(each for each in self.judged if each.misses)


def summarise(
    judged: Sequence[Judged],
    *,
    order: Sequence[str] = (),
    prices: Mapping[str, Price] | None = None,
    completion_tokens: int = 0,
) -> Report:
    """The report; ``order`` is that of decisions in the document, ``prices`` are by provider model."""
    table = confusion(judged, order)
    scores = class_scores(table)
    outcomes = [each.outcome for each in judged]
    return Report(
        accuracy=_accuracy(judged),
        decisions=scores,
        macro_f1=macro_f1(scores),
        confusion=table,
        languages=_by(judged, lambda each: (each.case.lang,) if each.case.lang else ()),
        tags=_by(judged, lambda each: frozenset(each.case.tags)),
        signals=signal_scores(judged),
        signal_failures=Counter(name for outcome in outcomes for name in sorted(outcome.failed)),
        phases=by_phase([outcome.phases_us for outcome in outcomes]),
        total=histogram([outcome.phases_us.get(TOTAL, 0.0) for outcome in outcomes]),
        costs=costs(outcomes, prices or {}, completion_tokens),
        completion_tokens=completion_tokens,
        judged=tuple(judged),
    )


def _accuracy(judged: Sequence[Judged]) -> Rate:
    return rate(sum(1 for each in judged if not each.misses), len(judged))


def _by(judged: Sequence[Judged], labels: Callable[[Judged], Iterable[str]]) -> dict[str, Rate]:
    groups: dict[str, list[Judged]] = {}
    for each in judged:
        for label in labels(each):
            groups.setdefault(label, []).append(each)
    return {label: _accuracy(group) for label, group in sorted(groups.items())}
