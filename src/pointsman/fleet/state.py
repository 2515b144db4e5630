"""What is known now about the endpoints behind a pool, and about the models they serve."""

from enum import StrEnum
from typing import Protocol


class Status(StrEnum):
    """Whether a pool can take a request."""

    OK = "ok"
    SATURATED = "saturated"
    """It works, but is asked for more than it may be."""
    DOWN = "down"
    """No endpoint answers."""


class FleetState(Protocol):
    """The fleet at this moment; read on every choice, so it never waits."""

    def status(self, pool: str) -> Status:
        """Whether a pool can take a request; one that nothing is known about is ``OK``."""


class Measured(FleetState, Protocol):
    """A fleet that is watched: what algorithms weigh. ``None`` stands for no recent data."""

    def in_flight(self, model: str) -> int:
        """Requests sent to a model whose answer has not ended."""

    def ttft_ms(self, model: str, percentile: int) -> float | None:
        """That percentile (1..100) of the time to the first byte of a streamed answer, milliseconds."""

    def tpot_ms(self, model: str, percentile: int) -> float | None:
        """That percentile (1..100) of the time per output token of a streamed answer, milliseconds."""

    def success_share(self, model: str) -> float | None:
        """Share of a model's recent requests that got a whole answer, 0..1."""


class AllWell:
    """A fleet nothing is known about."""

    def status(self, pool: str) -> Status:  # noqa: ARG002  # every pool is the same to it
        """Always ``OK``."""
        return Status.OK

    def in_flight(self, model: str) -> int:  # noqa: ARG002  # nothing is counted
        """Always 0."""
        return 0

    def ttft_ms(self, model: str, percentile: int) -> float | None:  # noqa: ARG002  # nothing is measured
        """Never known."""
        return None

    def tpot_ms(self, model: str, percentile: int) -> float | None:  # noqa: ARG002  # nothing is measured
        """Never known."""
        return None

    def success_share(self, model: str) -> float | None:  # noqa: ARG002  # nothing is measured
        """Never known."""
        return None
