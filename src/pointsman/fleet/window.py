"""The last measurements of one quantity, ready for percentiles."""

import bisect
import math
from collections import deque


class Window:
    """At most ``size`` values, none older than ``age_s``; a model that was slow long ago gets another chance.

    Adding and reading cost a search in a short sorted list. Not for use from several threads.
    """

    def __init__(self, *, size: int = 512, age_s: float = 600.0) -> None:
        self._size = size
        self._age_s = age_s
        self._values: deque[tuple[float, float]] = deque()
        self._sorted: list[float] = []

    def add(self, value: float, now: float) -> None:
        """Take one measurement; the oldest gives way when there are too many."""
        self._values.append((now, value))
        bisect.insort(self._sorted, value)
        if len(self._values) > self._size:
            self._drop()

    def percentile(self, percentile: int, now: float) -> float | None:
        """The smallest value that ``percentile`` percent of all do not exceed; ``None`` without values."""
        self._expire(now)
        if not self._sorted:
            return None
        rank = math.ceil(percentile / 100 * len(self._sorted))
        return self._sorted[max(rank, 1) - 1]

    def mean(self, now: float) -> float | None:
        """The mean; ``None`` without values."""
        self._expire(now)
        return math.fsum(self._sorted) / len(self._sorted) if self._sorted else None

    def __len__(self) -> int:
        return len(self._values)

    def _expire(self, now: float) -> None:
        while self._values and self._values[0][0] <= now - self._age_s:
            self._drop()

    def _drop(self) -> None:
        _, value = self._values.popleft()
        del self._sorted[bisect.bisect_left(self._sorted, value)]
