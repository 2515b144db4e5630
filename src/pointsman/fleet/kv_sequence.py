"""Which messages of a publisher were heard: gaps, repetitions and new beginnings."""

from enum import StrEnum


class Step(StrEnum):
    """What to do with a message."""

    APPLY = "apply"
    SKIP = "skip"
    """It was replayed already."""
    GAP = "gap"
    """Some before it were missed."""
    RESTART = "restart"
    """The publisher counts from the beginning again: it is a new process."""


class Sequence:
    """Numbers of one publisher, which count up by one and begin at 0 with its process."""

    def __init__(self) -> None:
        self.expected = 0
        """The next number."""
        self._live = -1

    def live(self, number: int) -> Step:
        """A message of the subscription. ``APPLY`` counts it; others need ``replayed`` or ``skip_to``.

        A subscription repeats nothing, so a number that is not higher than the last is a restart.
        """
        if number <= self._live:
            self.expected, self._live = 0, number
            return Step.RESTART
        self._live = number
        if number < self.expected:
            return Step.SKIP
        if number > self.expected:
            return Step.GAP
        self.expected += 1
        return Step.APPLY

    def replayed(self, number: int) -> Step:
        """A message that was asked for again."""
        if number < self.expected:
            return Step.SKIP
        if number > self.expected:
            return Step.GAP
        self.expected += 1
        return Step.APPLY

    def skip_to(self, number: int) -> None:
        """Give up what is missing before ``number``, which is the next to come."""
        self.expected = number
