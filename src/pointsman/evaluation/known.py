"""Names that cases use and a document does not have: a typo would count as a miss for ever."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

import msgspec

from pointsman.evaluation.case import BadCases, BadLine, Expect, Numbered


class Known(msgspec.Struct, frozen=True):
    """What a document can lead to."""

    decisions: frozenset[str]
    models: frozenset[str]
    signals: frozenset[str]
    """Signals that some decision refers to, as ``family:name``: no others are observed."""

    def __or__(self, other: "Known") -> "Known":
        return Known(
            self.decisions | other.decisions, self.models | other.models, self.signals | other.signals
        )


def require_known(cases: Sequence[Numbered], known: Known, source: str) -> None:
    """Raises ``BadCases`` for expectations that can never be met, with the nearest name that can."""
    problems = [
        BadLine(each.line, message) for each in cases for message in _unknown(each.case.expect, known)
    ]
    if problems:
        raise BadCases(problems, source)


def _unknown(expect: Expect, known: Known) -> Iterator[str]:
    if isinstance(expect.decision, str):
        yield from _missing(
            "decision", (expect.decision,), known.decisions, "the document has no such decision"
        )
    if isinstance(expect.model, str):
        yield from _missing("model", (expect.model,), known.models, "no decision and no default selects it")
    yield from _missing(
        "signal", (*expect.signals, *expect.not_signals), known.signals, "no decision refers to it"
    )


def _missing(what: str, names: Iterable[str], known: AbstractSet[str], why: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 1)
            yield f"{what} {name!r}: {why}" + (f"; did you mean {near[0]}?" if near else "")
