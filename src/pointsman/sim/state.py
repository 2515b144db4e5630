"""What a simulated engine remembers of its requests, for tests and curious people."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

RECENT = 100
OTHER = "other"


@dataclass
class Visit:
    """One request, from arrival to its end. `status` stays 0 until an answer has begun."""

    path: str
    method: str
    request_id: str
    model: str | None = None
    stream: bool = False
    fault: str | None = None
    status: int = 0
    outcome: str = "open"
    """`open`, then `answered`, `cancelled` (the client left) or `broken` (a fault ended it)."""


class SimState:
    """Counters and the last requests. Paths that are no route are counted together, so it stays small."""

    def __init__(self, routes: frozenset[str]) -> None:
        self._routes = routes
        self.received: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.recent: deque[Visit] = deque(maxlen=RECENT)

    @property
    def cancelled(self) -> int:
        """Requests whose client left before the answer was complete."""
        return self.outcomes["cancelled"]

    def arrive(self, visit: Visit) -> None:
        """A request came in."""
        self.received[visit.path if visit.path in self._routes else OTHER] += 1
        self.recent.append(visit)

    def leave(self, visit: Visit, outcome: str) -> None:
        """A request ended. The first outcome named for it stands."""
        if visit.outcome == "open":
            visit.outcome = outcome
            self.outcomes[outcome] += 1

    def describe(self) -> dict[str, Any]:
        """The part of /sim/state that is about requests."""
        return {
            "received": dict(self.received),
            "answered": self.outcomes["answered"],
            "broken": self.outcomes["broken"],
            "cancelled": self.cancelled,
            "recent": [asdict(visit) for visit in self.recent],
        }
