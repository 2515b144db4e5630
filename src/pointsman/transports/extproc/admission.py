"""The bound on decisions made at the same time."""


class Admission:
    """Counts decisions in flight, up to ``limit``; for use from one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Decisions being made now."""
        return self._in_flight

    def enter(self) -> bool:
        """Take a slot, or return false when all are taken. A taken slot must be given back with ``leave``."""
        if self._in_flight >= self.limit:
            return False
        self._in_flight += 1
        return True

    def leave(self) -> None:
        """Give a slot back."""
        self._in_flight -= 1
