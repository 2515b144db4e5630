"""What every algorithm that chooses among candidates offers."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from pointsman.core.model import Candidate
from pointsman.core.request import ChatRequest
from pointsman.core.signal import SignalSet


class Asked(msgspec.Struct, frozen=True):
    """What a choice may depend on."""

    request: ChatRequest
    signals: SignalSet
    decision: str
    """Name of the decision whose candidates are chosen among."""


class Choice(msgspec.Struct, frozen=True):
    """The candidate chosen, and why, for people."""

    candidate: Candidate
    reason: str = ""
    fallback: bool = False
    """Whether there was nothing to choose by, so that the first candidate was taken."""


class Selector(Protocol):
    """Chooses one of several candidates. Immutable, safe to use concurrently."""

    @property
    def algorithm(self) -> str:
        """Its name in the document, which response headers carry."""

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """One of ``candidates``, which are never empty.

        Raising means: take the first, and count it. An ``HttpError`` is for the client instead.
        """
