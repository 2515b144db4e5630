"""Runs simulated engines: one inside the caller's event loop, or some until a signal stops them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from pointsman.sim import control
from pointsman.sim.app import build_app
from pointsman.sim.engine import Clock
from pointsman.sim.faults import FaultKind, FaultScope, parse_fault
from pointsman.sim.kv_publisher import publishing
from pointsman.sim.listener import Listener
from pointsman.sim.server import SIM, Sim
from pointsman.sim.settings import SimSettings
from pointsman.sim.state import SimState

_SHORTEST_GRACE_S = 0.05  # aiohttp takes 0 for "wait for ever"


@dataclass(frozen=True)
class RunningSim:
    """A simulated engine that is serving."""

    url: str
    """`http://HOST:PORT`, without a slash at the end."""
    port: int
    control_url: str | None
    """The address that stays open under the fault `refuse`, if a control port was asked for."""
    sim: Sim
    """The live parts, for tests that look inside."""

    @property
    def state(self) -> SimState:
        """Request counters and the last requests; changes as requests come and go."""
        return self.sim.state

    @property
    def load(self) -> tuple[int, int]:
        """Requests running and waiting now."""
        return self.sim.engine.slots.running, self.sim.engine.slots.waiting

    def describe(self) -> dict[str, Any]:
        """What /sim/state answers, without asking over HTTP."""
        return self.sim.describe()

    async def set_fault(
        self, spec: str | None, *, count: int | None = None, scope: FaultScope = "inference"
    ) -> None:
        """Set or clear the process-wide fault. Raises FaultSpecError for a bad spec."""
        wanted = parse_fault(spec) if spec is not None else None
        await control.set_fault(self.sim, wanted, count=count, scope=scope)


@asynccontextmanager
async def running(
    settings: SimSettings, *, clock: Clock | None = None, grace_ms: float = 0.0
) -> AsyncIterator[RunningSim]:
    """Serve inside the caller's loop until the context ends.

    Running answers get `grace_ms` to finish then. Raises PortInUseError, or OSError for a bad host.
    """
    app = build_app(settings, clock)
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # a client that leaves stops its generation
        access_log=None,
        shutdown_timeout=max(_SHORTEST_GRACE_S, grace_ms / 1000.0),
    )
    await runner.setup()
    listener = Listener(runner, settings.host, settings.port, app[SIM].busy)
    try:
        await listener.open()
        app[SIM].handover.port = lambda: listener.port
        control_url = await _open_control(runner, settings, app[SIM])
        app[SIM].refuse = listener.refuse
        fault = settings.fault
        if fault is not None and fault.kind is FaultKind.REFUSE:
            await listener.refuse(fault.amount / 1000.0 or None)
        async with publishing(settings) as publisher:
            if publisher is not None:
                app[SIM].publisher = publisher
                app[SIM].engine.publish_to(publisher.publish)
            yield RunningSim(url=listener.url, port=listener.port, control_url=control_url, sim=app[SIM])
    finally:
        await listener.close()
        await runner.cleanup()


async def serve(engines: Sequence[SimSettings], announce: Callable[[RunningSim], None]) -> None:
    """Serve until SIGTERM or SIGINT, all in one event loop; `announce` is called once each port is open.

    Raises PortInUseError, KvEventsError, or OSError for a bad host.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        for settings in engines:
            announce(await stack.enter_async_context(running(settings, grace_ms=settings.shutdown_ms)))
        await stop.wait()


def replicas(settings: SimSettings, count: int) -> list[SimSettings]:
    """Copies of one engine on consecutive ports, named NAME-0 and so on; one alone keeps its name.

    Endpoints for KV events that are bound go up by 2 a replica, so that a pair of neighbours stays a pair.
    """
    if count == 1:
        return [settings]
    return [
        replace(
            settings,
            name=f"{settings.name}-{index}",
            port=settings.port and settings.port + index,
            control_port=settings.control_port and settings.control_port + index,
            kv_events=settings.kv_events and settings.kv_events.shifted(2 * index),
        )
        for index in range(count)
    ]


async def _open_control(runner: web.AppRunner, settings: SimSettings, sim: Sim) -> str | None:
    if settings.control_port is None:
        return None
    listener = Listener(runner, settings.host, settings.control_port, sim.busy)
    await listener.open()
    return listener.url
