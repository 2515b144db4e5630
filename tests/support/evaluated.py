"""Judged cases, made of little."""

from typing import Any

import msgspec

from pointsman.evaluation.case import Case, Numbered
from pointsman.evaluation.outcome import Judged, Outcome, judge


def judged(expect: dict[str, Any], outcome: Outcome | None = None, *, line: int = 1, **case: Any) -> Judged:
    """A case with this expectation and what became of it."""
    written = msgspec.convert({"text": "a question", "expect": expect, **case}, Case)
    return judge(Numbered(line, written), Outcome() if outcome is None else outcome)


def decided(expected: str, made: str, **case: Any) -> Judged:
    """A case that expects one decision and met another."""
    return judged({"decision": expected}, Outcome(decision=made), **case)
