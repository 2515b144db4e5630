import asyncio
from typing import Any

import aiohttp
import aiohttp.web
import pytest
from sim_lab import Client, drive

from pointsman.sim import Fault, FaultKind, PortInUseError, RunningSim, SimSettings, build_app, running


async def _comes_back(url: str) -> int:
    async with aiohttp.ClientSession() as http:
        for _ in range(400):
            try:
                return (await http.get(f"{url}/health")).status
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)
    raise AssertionError("it never came back")


def test_refuse_closes_the_port_until_cleared() -> None:
    """While refusing, connections fail and idle ones are closed; clearing opens the same port again."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        before = (await http.get("/health")).status
        await sim.set_fault("refuse")
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get("/health")
        await sim.set_fault(None)
        return before, (await http.get("/health")).status

    assert drive(scenario) == (200, 200)


def test_refuse_can_end_by_itself() -> None:
    """refuse:MS listens again after that time, so it can be set over the very port it closes."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        response = await http.post("/sim/fault", {"fault": "refuse:50"})
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get("/health")
        return response.status, await _comes_back(sim.url)

    assert drive(scenario) == (200, 200)


def test_the_control_port_stays_open() -> None:
    """A control port can clear `refuse`, also one that was on from the start."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get("/health")
        await http.post(f"{sim.control_url}/sim/fault", {"fault": None})
        return (await http.get("/health")).status

    assert drive(scenario, fault=Fault(FaultKind.REFUSE), control_port=0) == 200


def test_a_port_in_use_is_named() -> None:
    """Listening where somebody listens raises an error that names the port and a remedy."""

    async def scenario() -> Any:
        async with running(SimSettings(model="tiny")) as first:
            with pytest.raises(PortInUseError, match=rf"port {first.port} .*--port 0"):
                async with running(SimSettings(model="tiny", port=first.port)):
                    pass

    asyncio.run(scenario())


def test_without_a_listener_refuse_is_a_400() -> None:
    """An application served by somebody else's server cannot close their socket, and says so."""

    async def scenario() -> Any:
        runner = aiohttp.web.AppRunner(build_app(SimSettings(model="tiny")), handler_cancellation=True)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with aiohttp.ClientSession(f"http://{host}:{port}") as http:
            status = (await http.post("/sim/fault", json={"fault": "refuse"})).status
        await runner.cleanup()
        return status

    assert asyncio.run(scenario()) == 400


def test_setting_a_fault_leaves_connections_alone() -> None:
    """A fault other than `refuse` closes no connection: the next request goes over the same one."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        made = []

        async def note(*_: Any) -> None:
            made.append(1)

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(note)
        async with aiohttp.ClientSession(sim.url, trace_configs=[trace]) as session:
            for _ in range(3):
                async with session.post("/sim/fault", json={"fault": "status:500"}) as response:
                    await response.read()
        return len(made)

    assert drive(scenario) == 1
