"""What a guard made of one request or answer: what the trace, the log line and the metrics read."""

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a check ended."""

    FOUND = "found"
    CLEAN = "clean"
    FAILED = "failed"


class GuardOutcome(msgspec.Struct, frozen=True):
    """One check. It holds no text of the client, so it is safe to log."""

    guard: str
    """``jailbreak``, ``pii``, ``response_jailbreak`` or ``response_pii``."""
    action: str
    """What a finding does, as the document says."""
    outcome: Outcome
    score: float = 0.0
    """The highest probability of an attack."""
    kinds: tuple[str, ...] = ()
    """Kinds of personal data found, sorted."""
    detail: str = ""
    """Why it failed."""

    def __str__(self) -> str:
        return f"{self.guard}:{self.outcome}"
