"""What every family of signals offers, and what families need from outside."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey, SignalSet

Floats = NDArray[np.float32]


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

    @property
    def complexity(self) -> Mapping[str, float]:
        """Probability of ``easy``, ``medium`` and ``hard``."""


class Peak(Protocol):
    """Where a text looks most like a jailbreak."""

    @property
    def probability(self) -> float:
        """Of the window that looks most like one."""


class Entity(Protocol):
    """A stretch of text that names something personal."""

    @property
    def label(self) -> str:
        """Kind of personal data, e.g. ``EMAIL_ADDRESS``."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""

    @property
    def score(self) -> float:
        """Confidence, 0 to 1."""


class Scan(Protocol):
    """What guards read of a whole text, however long."""

    @property
    def jailbreak(self) -> Peak:
        """Where it looks most like a jailbreak."""

    @property
    def entities(self) -> Sequence[Entity]:
        """What the token head found, by position, without overlaps."""

    @property
    def sampled(self) -> bool:
        """Whether the text was over the budget and only parts of it were read."""

    @property
    def disguised(self) -> bool:
        """Whether invisible or look-alike characters were used inside words."""


class TextEncoder(Protocol):
    """The one network behind every learned signal. Passes over the same text are shared and kept.

    Every method raises when the encoder is closed, broken, or has too much to do.
    """

    async def encode(self, text: str) -> Encoding:
        """Read head and tail of a text, once for all that ask."""

    async def embed(self, text: str) -> Floats:
        """The unit vector of a text, shape (384,): the dot product of two is their cosine similarity."""

    async def scan(self, text: str) -> Scan:
        """Read all of a text in small windows, for guards."""

    def embed_now(self, text: str) -> Floats:
        """What ``embed`` gives, in the calling thread: for examples in the document, when it is built."""


class Derivation(Protocol):
    """Signals made of other signals (partitions, composers, projections); pure and immutable."""

    @property
    def needs(self) -> frozenset[SignalKey]:
        """Every signal it reads."""

    @property
    def keys(self) -> frozenset[SignalKey]:
        """Every signal it adds or replaces."""

    def derive(self, signals: SignalSet) -> SignalSet:
        """The set with its signals added or replaced. A failed input makes a failed output, never a guess."""
