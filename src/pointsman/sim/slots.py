"""Bounded concurrency: so many requests run, so many wait in line, the rest is turned away."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass


class QueueFullError(Exception):
    """Every slot is taken and the line is as long as it may get."""


@dataclass(frozen=True, eq=False)
class _Place:
    """A place in line."""

    adapter: str | None
    turn: asyncio.Future[None]


class Slots:
    """`limit` slots and a first-come line of at most `max_waiting`.

    Of the running requests at most `max_loras` adapters may be in use side by side, as in a vLLM batch; a
    request for one more waits, and those behind it that need no new adapter go first.
    """

    def __init__(self, limit: int, max_waiting: int, max_loras: int = 1) -> None:
        self._limit = limit
        self._max_waiting = max_waiting
        self._max_loras = max_loras
        self._line: deque[_Place] = deque()
        self._adapters: Counter[str] = Counter()
        self.running = 0
        self.max_running = 0
        self.max_waiting_seen = 0

    @property
    def waiting(self) -> int:
        """Requests in line now."""
        return len(self._line)

    def take(self, adapter: str | None = None) -> "Ticket":
        """Take a slot or a place in line, at once. Raises QueueFullError."""
        if self._fits(adapter):
            self._run(adapter)
            return Ticket(self, adapter, None)
        if len(self._line) >= self._max_waiting:
            raise QueueFullError
        place = _Place(adapter, asyncio.get_running_loop().create_future())
        self._line.append(place)
        self.max_waiting_seen = max(self.max_waiting_seen, len(self._line))
        return Ticket(self, adapter, place)

    def give_back(self, adapter: str | None, place: _Place | None) -> None:
        """End of a ticket, whether it ran or was still in line."""
        if place is not None and place in self._line:
            self._line.remove(place)
            return
        self.running -= 1
        if adapter is not None:
            self._adapters[adapter] -= 1
            if not self._adapters[adapter]:
                del self._adapters[adapter]
        self._grant()

    def _grant(self) -> None:
        if not self._line or self.running >= self._limit:
            return
        still: deque[_Place] = deque()
        while self._line and self.running < self._limit:
            place = self._line.popleft()
            if self._fits(place.adapter):
                self._run(place.adapter)
                place.turn.set_result(None)
            else:
                still.append(place)
        self._line.extendleft(reversed(still))

    def _fits(self, adapter: str | None) -> bool:
        known = adapter is None or adapter in self._adapters or len(self._adapters) < self._max_loras
        return self.running < self._limit and known

    def _run(self, adapter: str | None) -> None:
        self.running += 1
        self.max_running = max(self.max_running, self.running)
        if adapter is not None:
            self._adapters[adapter] += 1


class Ticket:
    """One request's slot or place in line."""

    def __init__(self, slots: Slots, adapter: str | None, place: _Place | None) -> None:
        self._slots = slots
        self._adapter = adapter
        self._place = place

    async def turn(self) -> None:
        """Wait until this ticket has a slot."""
        if self._place is not None:
            # shielded: a cancelled waiter must leave the future intact, or granting it would raise
            await asyncio.shield(self._place.turn)

    def give_back(self) -> None:
        """Free the slot or leave the line; to be called exactly once."""
        self._slots.give_back(self._adapter, self._place)
