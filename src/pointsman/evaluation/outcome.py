"""What a case led to, and where that differs from what was expected."""

from collections.abc import Iterator, Mapping

import msgspec

from pointsman.core.tokens import estimate_tokens
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Reply
from pointsman.evaluation.case import Case, Numbered

NONE = "(none)"
"""Stands for a decision where no rule held."""
REFUSED = "(refused)"
"""Stands for a decision where the request was refused before any was made."""


class Outcome(msgspec.Struct, frozen=True):
    """What one request led to; nothing of its text."""

    decision: str = NONE
    """Name of the decision, or what stands for one."""
    confidence: float = 0.0
    model: str = ""
    """Logical name of the model selected; empty where none was."""
    provider: str = ""
    """The provider model that serves it."""
    matched: frozenset[str] = frozenset()
    """Signals that matched, as ``family:name``."""
    failed: Mapping[str, str] = {}
    """Signals that could not be computed, and why."""
    status: int = 0
    """HTTP status of the router's own answer; 0 where the request goes on to a model."""
    error: str = ""
    """Why the request was refused."""
    phases_us: Mapping[str, float] = {}
    prompt_tokens: int = 0
    """Estimated from the length of all messages, before a system prompt is put in."""


class Judged(msgspec.Struct, frozen=True):
    """A case with its outcome; ``misses`` says where they differ, and is empty when they agree."""

    line: int
    case: Case
    outcome: Outcome
    misses: tuple[str, ...] = ()


def outcome_of(ruling: Ruling) -> Outcome:
    """What is kept of a ruling."""
    trace, verdict = ruling.trace, ruling.verdict
    decided = trace.match.decision if trace.match is not None else None
    target = trace.selection.candidate.target if trace.selection is not None else None
    messages = trace.request.messages if trace.request is not None else ()
    undecided = REFUSED if trace.error else NONE
    return Outcome(
        decision=undecided if decided is None else decided.name,
        confidence=trace.match.confidence if trace.match is not None and decided is not None else 0.0,
        model=target.name if target is not None else "",
        provider=target.provider if target is not None else "",
        matched=frozenset(str(signal.key) for signal in trace.signals if signal.matched),
        failed={str(signal.key): signal.error for signal in trace.signals if signal.error},
        status=verdict.status if isinstance(verdict, Reply) else 0,
        error=trace.error,
        phases_us=dict(trace.phases_us),
        prompt_tokens=sum(estimate_tokens(message.text) for message in messages),
    )


def judge(numbered: Numbered, outcome: Outcome) -> Judged:
    """Compare an outcome with what its case expects."""
    return Judged(numbered.line, numbered.case, outcome, tuple(_misses(numbered.case, outcome)))


def _misses(case: Case, outcome: Outcome) -> Iterator[str]:
    expect = case.expect
    if not isinstance(expect.decision, msgspec.UnsetType) and outcome.decision != (expect.decision or NONE):
        yield f"decision {outcome.decision}, expected {expect.decision or NONE}"
    if not isinstance(expect.model, msgspec.UnsetType) and outcome.model != expect.model:
        yield f"model {outcome.model or NONE}, expected {expect.model}"
    for key in expect.signals:
        if key not in outcome.matched:
            why = outcome.failed.get(key)
            yield f"{key} failed: {why}" if why else f"{key} did not match"
    for key in expect.not_signals:
        if key in outcome.matched:
            yield f"{key} matched"
        elif key in outcome.failed:
            yield f"{key} failed: {outcome.failed[key]}"
    yield from _reply_misses(case, outcome)


def _reply_misses(case: Case, outcome: Outcome) -> Iterator[str]:
    if case.expect.reply is True and not outcome.status:
        yield "went to a model, expected a reply"
    elif case.expect.reply is False and outcome.status:
        yield f"answered here with status {outcome.status}, expected a model"
    elif outcome.error and case.expect.reply is not True:
        yield f"refused: {outcome.error}"
