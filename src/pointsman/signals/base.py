"""What every family of signals offers, and what families need from outside."""

from collections.abc import Mapping
from typing import Protocol

from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey


class Evaluator(Protocol):
    """Computes the signals of one family. Immutable, safe to use concurrently, and cancellable."""

    @property
    def family(self) -> str:
        """The ``type`` that conditions use, e.g. ``keyword``."""

    @property
    def keys(self) -> frozenset[SignalKey]:
        """Every signal that an evaluation yields."""

    @property
    def immediate(self) -> bool:
        """Whether an evaluation never waits (no thread, no network): such families run first."""

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """The outcome for each of ``keys``. Whatever it raises makes all of them failed signals."""


class Encoding(Protocol):
    """The part of an encoder pass that signals read."""

    @property
    def domains(self) -> Mapping[str, float]:
        """Calibrated probability by domain label, summing to one."""


class TextEncoder(Protocol):
    """One pass over a text that feeds several signals."""

    async def encode(self, text: str) -> Encoding:
        """Read a text; raises when the encoder is closed, broken, or has too much to do."""
