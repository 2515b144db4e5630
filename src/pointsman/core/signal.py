"""What is known about a request: each signal with its value, confidence, cost and, if it failed, why."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec


class SignalKey(msgspec.Struct, frozen=True, order=True):
    """A signal's family and the name its rule has in the document, e.g. ``domain``/``math``."""

    family: str
    name: str

    def __str__(self) -> str:
        return f"{self.family}:{self.name}"


class Signal(msgspec.Struct, frozen=True):
    """The outcome of one signal rule on one request."""

    key: SignalKey
    matched: bool
    confidence: float = 0.0
    """0..1; the family's own measure (1.0 for a keyword hit, a calibrated probability for a domain)."""
    cost_us: float = 0.0
    """Wall time spent on this signal, microseconds; shared passes are charged to the signal that waited."""
    detail: str = ""
    """What matched, for people (a keyword, the top label). Never the prompt itself."""
    error: str = ""
    """Why the signal could not be computed; a failed signal never matches, unless that is ``assumed``."""
    assumed: bool = False
    """It failed, and ``matched`` is what the document says of that (``on_error``): decisions take it."""

    @property
    def failed(self) -> bool:
        """Whether nothing is known: it failed, and the document does not say what that means."""
        return bool(self.error) and not self.assumed


class SignalSet(msgspec.Struct, frozen=True):
    """All signals computed for one request, by key."""

    by_key: Mapping[SignalKey, Signal] = {}

    @classmethod
    def of(cls, signals: Iterable[Signal]) -> "SignalSet":
        """Collect signals; the last one of a key wins."""
        return cls({signal.key: signal for signal in signals})

    def get(self, key: SignalKey) -> Signal:
        """The signal, or an unmatched one that says it was never computed."""
        return self.by_key.get(key) or Signal(key, matched=False, error="not computed")

    def __iter__(self) -> Iterator[Signal]:
        return iter(self.by_key.values())

    def __len__(self) -> int:
        return len(self.by_key)
