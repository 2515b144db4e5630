"""How often each signal did what cases expect of it."""

from collections.abc import Iterator, Sequence

import msgspec

from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.rates import Rate, rate


class SignalScore(msgspec.Struct, frozen=True):
    """How one signal did, over the cases that speak of it."""

    name: str
    right: Rate
    missed: int
    """Should have matched and did not."""
    unasked: int
    """Matched and should not have."""
    failed: int
    """Could not be computed; counted as wrong."""


def signal_scores(judged: Sequence[Judged]) -> tuple[SignalScore, ...]:
    """Each signal that some case expects to match or not to match, by name."""
    ends: dict[str, list[str]] = {}
    for each in judged:
        for name, end in _ends(each):
            ends.setdefault(name, []).append(end)
    return tuple(
        SignalScore(
            name,
            rate(found.count(""), len(found)),
            missed=found.count("missed"),
            unasked=found.count("unasked"),
            failed=found.count("failed"),
        )
        for name, found in sorted(ends.items())
    )


def _ends(judged: Judged) -> Iterator[tuple[str, str]]:
    expect, outcome = judged.case.expect, judged.outcome
    for name in expect.signals:
        yield name, "" if name in outcome.matched else "failed" if name in outcome.failed else "missed"
    for name in expect.not_signals:
        yield name, "unasked" if name in outcome.matched else "failed" if name in outcome.failed else ""
