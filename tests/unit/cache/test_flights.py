"""Who waits for whom, and how many at most."""

import asyncio

from pointsman.cache.flights import Flights


def test_only_the_first_goes() -> None:
    """A second start with the same question is refused until the first is over."""
    flights = Flights()
    first = flights.start((b"p", b"q"))
    assert first is not None
    assert flights.start((b"p", b"q")) is None
    first.end()
    assert flights.start((b"p", b"q")) is not None


def test_the_number_is_bounded() -> None:
    """The oldest is forgotten, and those who wait for it are woken."""

    async def run() -> None:
        flights = Flights(most=2)
        first = flights.start((b"", b"1"))
        assert first is not None
        waiting = asyncio.create_task(first.wait(60))
        await asyncio.sleep(0)
        flights.start((b"", b"2"))
        flights.start((b"", b"3"))
        assert len(flights) == 2
        assert await waiting

    asyncio.run(run())


def test_a_lease_runs_out() -> None:
    """Who never ends is not waited for after the lease."""
    clock = [0.0]
    flights = Flights(lease_s=30, clock=lambda: clock[0])
    flights.start((b"", b"1"))
    clock[0] = 31
    assert flights.running((b"", b"1")) is None
    assert flights.start((b"", b"1")) is not None


def test_only_one_takes_over_from_who_was_given_up_on() -> None:
    """Two who waited in vain for the same one: the first of them goes, the other has somebody new."""
    flights = Flights()
    first = flights.start((b"", b"1"))
    assert flights.start((b"", b"1"), instead=first) is not None
    assert flights.start((b"", b"1"), instead=first) is None
