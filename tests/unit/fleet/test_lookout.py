"""Sources and probes together."""

import asyncio
from collections.abc import Awaitable, Callable

from pointsman.config.replicas import HealthChecks
from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.discovery.source import Change, Event, Publish
from pointsman.fleet.health.monitor import Monitor
from pointsman.fleet.health.probe import HttpProber
from pointsman.fleet.lookout import Lookout
from pointsman.fleet.observed import ObservedFleet
from pointsman.fleet.roster import Roster
from pointsman.fleet.state import Status

A = "10.0.0.1:8000"


class Scripted:
    """A source that does what a test says."""

    def __init__(self, name: str, work: Callable[[Publish], Awaitable[None]]) -> None:
        self.name = name
        self._work = work

    async def run(self, publish: Publish) -> None:
        await self._work(publish)


def lookout(*sources: Scripted, events: list[Event]) -> Lookout:
    roster, prober = Roster(), HttpProber(0.2)
    monitor = Monitor(roster, HealthChecks(trust=("m",)), {}, prober)
    return Lookout(roster, sources, monitor, prober, frozenset({"m"}), events.append)


async def running(subject: Lookout, scenario: Callable[[], Awaitable[None]]) -> None:
    task = asyncio.create_task(subject.run())
    try:
        await scenario()
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def once(publish: Publish) -> None:
    publish([Endpoint(A, "m")])
    await asyncio.get_running_loop().create_future()


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  # what is waited for is another task's doing
            await asyncio.sleep(0.005)


def test_a_defect_in_one_source_ends_nobody_else() -> None:
    """A source that raises, or ends, is reported and started again; the others go on."""
    tries, events = list[int](), list[Event]()

    async def broken(publish: Publish) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError
        if len(tries) > 2:
            await once(publish)

    async def run() -> None:
        subject = lookout(Scripted("a", broken), Scripted("b", once), events=events)

        async def scenario() -> None:
            assert await subject.settled(20)
            await until(lambda: subject.roster.of("m"))

        await running(subject, scenario)

    asyncio.run(run())
    assert [event.source for event in events if event.change is Change.FAILED] == ["a", "a"]


def test_the_start_waits_for_sources_but_not_for_ever() -> None:
    """A source that says nothing holds up the start for the patience given; nothing is down because of it."""

    async def silent(_: Publish) -> None:
        await asyncio.get_running_loop().create_future()

    async def run() -> None:
        subject = lookout(Scripted("a", silent), events=[])

        async def scenario() -> None:
            assert not await subject.settled(0.05)
            assert subject.usable("m")
            assert not subject.alive("m")

        await running(subject, scenario)

    asyncio.run(run())


def test_a_pool_without_a_usable_replica_is_down_for_decisions() -> None:
    """Decisions prefer other candidates while every replica drains or is down; others' pools are believed."""

    async def run() -> None:
        publishes = list[Publish]()

        async def told(publish: Publish) -> None:
            publishes.append(publish)
            await once(publish)

        subject, fleet = lookout(Scripted("a", told), events=[]), ObservedFleet()
        fleet.follow(subject.usable)

        async def scenario() -> None:
            await until(lambda: subject.alive("m"))
            assert fleet.status("m") is Status.OK
            publishes[0]([Endpoint(A, "m", health=Health.DRAINING)])
            await until(lambda: fleet.status("m") is Status.DOWN)
            assert fleet.status("elsewhere") is Status.OK
            publishes[0]([Endpoint(A, "m")])
            await until(lambda: fleet.status("m") is Status.OK)

        await running(subject, scenario)

    asyncio.run(run())
