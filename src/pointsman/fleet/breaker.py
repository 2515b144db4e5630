"""Whether the endpoints of one pool answer, told from what became of requests."""

import msgspec


class Patience(msgspec.Struct, frozen=True):
    """How soon a pool is given up, and for how long."""

    failures: int = 3
    """Failures in a row after which a pool is down; 0 never gives one up."""
    cool_down_s: float = 5.0
    """How long it is left alone the first time; doubled each time its trial fails."""
    longest_s: float = 60.0
    """The longest it is left alone."""


class Breaker:
    """Down after failures in a row, left alone for a while, then tried with one request at a time.

    Any success clears it. A trial whose end never becomes known blocks for one cool-down, no longer.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.failures = 0
        """Failures in a row."""
        self._cool_down_s = 0.0
        self._until = 0.0
        """When a trial may start; only meaningful while there is a cool-down."""
        self._trial = ""
        self._trial_until = 0.0

    def down(self, now: float) -> bool:
        """Whether requests should go elsewhere: during a cool-down, and while one request is on trial."""
        return self._cool_down_s > 0 and (now < self._until or now < self._trial_until)

    @property
    def clear(self) -> bool:
        """Whether there is nothing to remember."""
        return self.failures == 0

    def began(self, request_id: str, now: float) -> None:
        """A request was sent; the first after a cool-down is the trial."""
        if self._cool_down_s > 0 and not self.down(now):
            self._trial, self._trial_until = request_id, now + self._cool_down_s

    def succeeded(self) -> None:
        """An endpoint answered."""
        self.failures = 0
        self._cool_down_s = self._until = self._trial_until = 0.0

    def failed(self, now: float) -> None:
        """No endpoint could be reached."""
        self.failures += 1
        patience = self._patience
        if not patience.failures or self.failures < patience.failures:
            return
        if self._cool_down_s > 0 and now < self._until:
            return  # sent before the pool was given up: no reason to leave it alone for longer
        grown = 2 * self._cool_down_s or patience.cool_down_s
        self._cool_down_s = min(grown, max(patience.longest_s, patience.cool_down_s))
        self._until = now + self._cool_down_s
        self._trial_until = 0.0

    def inconclusive(self, request_id: str) -> None:
        """A request ended without telling anything about the endpoints; a trial may be repeated."""
        if request_id == self._trial:
            self._trial_until = 0.0
