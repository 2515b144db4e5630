"""Misbehaviour on demand: the ways in which a simulated engine can be told to fail."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

FaultScope = Literal["inference", "health", "all"]
Route = Literal["inference", "health", "other"]

MAX_AMOUNT = 86_400_000  # a day in milliseconds: larger delays or chunk counts are typing errors


class FaultKind(StrEnum):
    """The kinds of fault; the value is how a spec begins."""

    STATUS = "status"
    HANG = "hang"
    HANG_MID = "hang-mid"
    SLOW_FIRST = "slow-first"
    SLOW = "slow"
    CUT = "cut"
    RESET = "reset"
    ERROR_MID = "error-mid"
    DELAY = "delay"
    MALFORMED = "malformed"
    NO_DONE = "no-done"
    KV_LOST = "kv-lost"
    REFUSE = "refuse"


# kind -> (how to write it, what it does, smallest amount, largest amount, amount when none is written);
# a None for the smallest amount means the kind takes no amount, a None for the last that one must be written
_GRAMMAR: dict[FaultKind, tuple[str, str, int | None, int, int | None]] = {
    FaultKind.STATUS: (
        "status:CODE",
        "answer with this HTTP status (400-599) and an error body",
        400,
        599,
        None,
    ),
    FaultKind.HANG: ("hang", "accept the request and never answer", None, 0, 0),
    FaultKind.HANG_MID: ("hang-mid:N", "stall after N chunks, connection open", 0, MAX_AMOUNT, None),
    FaultKind.SLOW_FIRST: (
        "slow-first:MS",
        "the first token comes this much later; a stream's headers do not",
        0,
        MAX_AMOUNT,
        None,
    ),
    FaultKind.SLOW: ("slow:MS", "every event of a stream comes this much later", 0, MAX_AMOUNT, None),
    FaultKind.CUT: (
        "cut:N",
        "close the connection after N chunks; cut:0 resets it before headers",
        0,
        MAX_AMOUNT,
        None,
    ),
    FaultKind.RESET: ("reset:N", "reset the connection after N chunks", 0, MAX_AMOUNT, None),
    FaultKind.ERROR_MID: (
        "error-mid:N",
        "an error event after N chunks, as when an engine dies",
        0,
        MAX_AMOUNT,
        None,
    ),
    FaultKind.DELAY: ("delay:MS", "wait this long before doing anything", 0, MAX_AMOUNT, None),
    FaultKind.MALFORMED: (
        "malformed",
        "answer with invalid JSON, in a stream as its second event",
        None,
        0,
        0,
    ),
    FaultKind.NO_DONE: ("no-done", "end a stream without [DONE]", None, 0, 0),
    FaultKind.KV_LOST: (
        "kv-lost",
        "disaggregated prefill: the promised blocks are not there",
        None,
        0,
        0,
    ),
    FaultKind.REFUSE: (
        "refuse[:MS]",
        "process-wide only: stop listening, for MS or until cleared",
        0,
        MAX_AMOUNT,
        0,
    ),
}


class FaultSpecError(ValueError):
    """A fault spec that nobody can obey; the message lists the known ones."""


@dataclass(frozen=True)
class Fault:
    """One fault: its kind and its amount (a status, a number of chunks, or milliseconds)."""

    kind: FaultKind
    amount: int = 0

    def __str__(self) -> str:
        """The spec that `parse_fault` reads back."""
        smallest, default = _GRAMMAR[self.kind][2], _GRAMMAR[self.kind][4]
        bare = smallest is None or self.amount == default
        return self.kind.value if bare else f"{self.kind.value}:{self.amount}"


def known_faults() -> list[str]:
    """One line for each kind: how to write it and what it does."""
    return [f"{form}: {meaning}" for form, meaning, *_ in _GRAMMAR.values()]


def parse_fault(spec: str) -> Fault:
    """Read a spec such as `status:500` or `hang`. Raises FaultSpecError."""
    word, colon, amount = spec.strip().partition(":")
    try:
        kind = FaultKind(word)
    except ValueError:
        raise _unknown(spec) from None
    _, _, smallest, largest, default = _GRAMMAR[kind]
    if not colon and default is not None:
        return Fault(kind, default)
    if smallest is None or not (amount.isascii() and amount.isdigit() and len(amount) <= 9):
        raise _unknown(spec)
    if not smallest <= int(amount) <= largest:
        raise _unknown(spec)
    return Fault(kind, int(amount))


def _unknown(spec: str) -> FaultSpecError:
    forms = ", ".join(form for form, *_ in _GRAMMAR.values())
    return FaultSpecError(f"unknown fault {spec[:80]!r}; known are: {forms}")


class FaultBoard:
    """The process-wide fault, how often it still strikes, and where."""

    def __init__(self, fault: Fault | None = None, *, scope: FaultScope = "inference") -> None:
        self._fault = fault
        self._left: int | None = None
        self._scope = scope

    def set(self, fault: Fault | None, *, count: int | None = None, scope: FaultScope = "inference") -> None:
        """Replace the fault; `count` is how many requests it strikes before it clears itself (None: all)."""
        self._fault, self._left, self._scope = fault, count, scope

    def take(self, route: Route) -> Fault | None:
        """The fault that strikes a request arriving now, counting it as struck."""
        fault = self._fault
        if fault is None or fault.kind is FaultKind.REFUSE or self._scope not in {route, "all"}:
            return None
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._fault = self._left = None
        return fault

    def describe(self) -> dict[str, str | int | None]:
        """The board as /sim/state shows it."""
        return {"fault": str(self._fault) if self._fault else None, "left": self._left, "scope": self._scope}
