"""What is to be sent for one request, decided before a byte of it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pointsman.sim.engine import Job
from pointsman.sim.errors import ApiError

Outcome = Literal["stop", "length"]


class Shape(Protocol):
    """How one API writes an answer down; every method returns a value ready for JSON."""

    def opening(self, choices: int) -> list[Any]:
        """Events that come before the first token."""

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:
        """The event of one token; the last one carries the outcome."""

    def ending(self, outcome: Outcome, usage: dict[str, Any], *, wanted: bool) -> list[Any]:
        """Events that come after the last token; `wanted`: the client asked for the usage."""

    @property
    def done(self) -> bytes:
        """What ends a complete stream; may be nothing."""

    def event(self, value: Any) -> bytes:
        """One event of a stream."""

    def error(self, error: ApiError) -> Any:
        """The error as an event's value."""

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:
        """The whole answer at once."""


@dataclass(frozen=True)
class Plan:
    """An answer that has been composed but not yet sent."""

    job: Job
    shape: Shape
    answers: Sequence[Sequence[str]]
    """The tokens of each choice."""
    outcome: Outcome
    stream: bool
    include_usage: bool
    kv_transfer_params: dict[str, Any] | None = None
    """What the request says about handing KV blocks from one engine to another."""

    def usage(self, cached_tokens: int) -> dict[str, Any]:
        """The `usage` object."""
        prompt, made = len(self.job.prompt), sum(len(answer) for answer in self.answers)
        return {
            "prompt_tokens": prompt,
            "total_tokens": prompt + made,
            "completion_tokens": made,
            "prompt_tokens_details": {"cached_tokens": cached_tokens},
        }


@dataclass(frozen=True)
class Reading:
    """An answer that needs the prompt read and nothing generated: vectors, scores, classes."""

    job: Job
    document: dict[str, Any]
