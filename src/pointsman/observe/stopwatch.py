"""Wall time of named phases within one request."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType


class Stopwatch:
    """Collects the duration of each phase in microseconds; one instance lives for one request."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()
        self._phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Charge what happens inside to ``name``, whether or not it raises."""
        start = self._clock()
        try:
            yield
        finally:
            self._phases[name] = self._phases.get(name, 0.0) + (self._clock() - start) * 1e6

    def read(self) -> Mapping[str, float]:
        """All phases so far, and ``total`` since the stopwatch was made."""
        return MappingProxyType({**self._phases, "total": (self._clock() - self._start) * 1e6})
