"""Bounded concurrency: so many requests run, so many wait in line, the rest is turned away."""

import asyncio
from collections import deque


class QueueFullError(Exception):
    """Every slot is taken and the line is as long as it may get."""


class Slots:
    """`limit` slots and a first-come line of at most `max_waiting`."""

    def __init__(self, limit: int, max_waiting: int) -> None:
        self._limit = limit
        self._max_waiting = max_waiting
        self._line: deque[asyncio.Future[None]] = deque()
        self.running = 0
        self.max_running = 0
        self.max_waiting_seen = 0

    @property
    def waiting(self) -> int:
        """Requests in line now."""
        return len(self._line)

    def take(self) -> "Ticket":
        """Take a slot or a place in line, at once. Raises QueueFullError."""
        if self.running < self._limit:
            self._run_one_more()
            return Ticket(self, None)
        if len(self._line) >= self._max_waiting:
            raise QueueFullError
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        self.max_waiting_seen = max(self.max_waiting_seen, len(self._line))
        return Ticket(self, place)

    def give_back(self, place: asyncio.Future[None] | None) -> None:
        """End of a ticket, whether it ran or was still in line."""
        if place is not None and place in self._line:
            self._line.remove(place)
            return
        self.running -= 1
        if self._line:
            self._run_one_more()
            self._line.popleft().set_result(None)

    def _run_one_more(self) -> None:
        self.running += 1
        self.max_running = max(self.max_running, self.running)


class Ticket:
    """One request's slot or place in line."""

    def __init__(self, slots: Slots, place: asyncio.Future[None] | None) -> None:
        self._slots = slots
        self._place = place

    async def turn(self) -> None:
        """Wait until this ticket has a slot."""
        if self._place is not None:
            # shielded: a cancelled waiter must leave the future intact, or granting it would raise
            await asyncio.shield(self._place)

    def give_back(self) -> None:
        """Free the slot or leave the line; to be called exactly once."""
        self._slots.give_back(self._place)
