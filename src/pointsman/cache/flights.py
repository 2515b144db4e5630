"""The same question asked several times at once: one goes to the model, the others may wait for it."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

Key = tuple[bytes, bytes]
MOST: Final = 1024
LEASE_S: Final = 30.0
"""After this a request that has not ended is no longer waited for."""


class Flight:
    """A request on its way to a model, and those who wait for it."""

    def __init__(self, flights: "Flights", key: Key, until: float) -> None:
        self._flights = flights
        self.key = key
        self.until = until
        self._over = asyncio.Event()

    def end(self) -> None:
        """Its answer is kept, or will not be: nobody waits any longer."""
        self._over.set()
        self._flights.forget(self)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for the end, ``timeout_s`` at most; whether it came."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._over.wait()
        except TimeoutError:
            return False
        return True


class Flights:
    """At most ``most`` at a time, the oldest forgotten first. For use from one event loop."""

    def __init__(
        self, *, most: int = MOST, lease_s: float = LEASE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._lease_s = lease_s
        self._clock = clock
        self._running: OrderedDict[Key, Flight] = OrderedDict()

    def __len__(self) -> int:
        return len(self._running)

    def running(self, key: Key) -> Flight | None:
        """Who is on the way with this question."""
        flight = self._running.get(key)
        if flight is not None and flight.until <= self._clock():
            flight.end()
            return None
        return flight

    def start(self, key: Key, instead: Flight | None = None) -> Flight | None:
        """Go; ``None`` when somebody else is on the way, unless that is ``instead``, who was given up on."""
        current = self.running(key)
        if current is not None and current is not instead:
            return None
        if current is not None:
            current.end()
        while len(self._running) >= self._most:
            next(iter(self._running.values())).end()
        flight = self._running[key] = Flight(self, key, self._clock() + self._lease_s)
        return flight

    def forget(self, flight: Flight) -> None:
        """It is over."""
        if self._running.get(flight.key) is flight:
            del self._running[flight.key]
