"""What is known now about the endpoints behind a pool."""

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


class AllWell:
    """A fleet nothing is known about."""

    def status(self, pool: str) -> Status:  # noqa: ARG002  # every pool is the same to it
        """Always ``OK``."""
        return Status.OK
