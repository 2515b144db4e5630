"""A sliding window over the last unit of time, in constant memory."""

from collections import deque
from typing import Final

SLOTS: Final = 60
"""Slots per unit. Room comes back at most a sixtieth of the unit late, and never early."""


class Window:
    """What was counted in the last ``SLOTS`` slots and the one that is running.

    Two moments less than a unit apart are never more than ``SLOTS`` slots apart, so in no unit of time,
    wherever it begins, is more counted than the total allows. Slots must not go backwards.
    """

    __slots__ = ("_slots", "_total")

    def __init__(self) -> None:
        self._slots: deque[tuple[int, int]] = deque()
        self._total = 0

    def total(self, slot: int) -> int:
        """What counts at this slot."""
        while self._slots and self._slots[0][0] < slot - SLOTS:
            self._total -= self._slots.popleft()[1]
        return self._total

    def add(self, slot: int, amount: int) -> None:
        """Count an amount in the slot that is running."""
        self.total(slot)
        self._total += amount
        if self._slots and self._slots[-1][0] == slot:
            amount += self._slots.pop()[1]
        self._slots.append((slot, amount))

    def correct(self, slot: int, difference: int) -> None:
        """Change what was counted in an earlier slot, while it still counts; never below nothing."""
        for place, (index, amount) in enumerate(self._slots):
            if index == slot:
                corrected = max(0, amount + difference)
                self._slots[place] = (index, corrected)
                self._total += corrected - amount
                return

    def room_at(self, need: int, limit: int) -> int | None:
        """The first slot at which ``need`` more fits into ``limit``; ``None`` when it never does."""
        left = self._total
        for index, amount in self._slots:
            left -= amount
            if left + need <= limit:
                return index + SLOTS + 1
        return None
