"""Start, crash, restart and stop of the Envoy we supervise."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from envoy_lab import Backend, Lab, events, eventually

from pointsman.core.errors import StartError
from pointsman.transports.envoy import rundir
from pointsman.transports.envoy.plan import Host, Pool

pytestmark = pytest.mark.envoy

_STREAM = {"stream": True, "chunks": 30, "pause_s": 0.1}
_EVENTS = [*map(str, range(30)), "[DONE]"]

_ROUTER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from envoy_lab import Lab
from pointsman.transports.envoy.plan import Host, Pool

async def main():
    async with Lab(port=int(sys.argv[2]), replicas=0) as lab:
        host = Host(address="127.0.0.1", port=int(sys.argv[3]))
        assert await lab.update(Pool(name="main", endpoints=(host,)))
        print(lab.envoy.state.pid, lab.run.path, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def _stream(lab: Lab, started: asyncio.Event) -> list[str]:
    async with lab.open(_STREAM) as response:
        text = b""
        async for chunk in response.content.iter_any():
            text += chunk
            started.set()
    return events(text.decode())


def test_a_killed_envoy_is_restarted_and_serves_again() -> None:
    """After SIGKILL a new process takes over with the same pools, and the restart is counted."""

    async def body() -> None:
        async with Lab() as lab:
            first = lab.envoy.state
            assert first.pid is not None
            os.kill(first.pid, signal.SIGKILL)
            await eventually(lambda: lab.envoy.state.restarts == 1 and lab.envoy.state.ready, "a restart")
            assert lab.envoy.state.pid != first.pid
            assert lab.envoy.state.last_exit == -signal.SIGKILL
            assert (await lab.ask())[0] == 200
            assert await lab.update(lab.pool("main", lab.backends[0]))

    asyncio.run(body())


def test_a_port_in_use_is_said_before_envoy_starts() -> None:
    """A second gateway on the port of a first fails with the address and a remedy; the first does not mind."""

    async def body() -> None:
        async with Lab() as lab:
            second = Lab(port=lab.port)
            with pytest.raises(StartError, match=rf"127\.0\.0\.1:{lab.port} .*in use.*change the port"):
                await second.__aenter__()
            assert not second.run.path.exists()
            assert (await lab.ask())[0] == 200

    asyncio.run(body())


def test_a_stop_lets_running_streams_finish_and_leaves_nothing_behind() -> None:
    """While draining, new connections are refused, the running answer arrives whole, then all is gone."""

    async def body() -> None:
        async with Lab() as lab:
            started = asyncio.Event()
            running = asyncio.create_task(_stream(lab, started))
            await asyncio.wait_for(started.wait(), 10)
            pid = lab.envoy.state.pid
            assert pid is not None
            stopping = asyncio.create_task(lab.envoy.stop())
            await asyncio.sleep(0.5)
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", lab.port)
            assert await running == _EVENTS
            await stopping
            assert not _alive(pid)
            path = lab.run.path
        assert not path.exists()

    asyncio.run(body())


def test_a_stop_is_bounded_by_the_drain_time() -> None:
    """A stream that does not end in time is cut: a stop always comes to its end."""

    async def body() -> None:
        async with Lab() as lab:
            lab.envoy._drain_s = 0.3
            started = asyncio.Event()
            running = asyncio.create_task(_stream(lab, started))
            await asyncio.wait_for(started.wait(), 10)
            pid = lab.envoy.state.pid
            assert pid is not None
            await asyncio.wait_for(lab.envoy.stop(), 8)
            assert not _alive(pid)
            with pytest.raises(Exception, match=r"(?i)payload|transfer|disconnect|closed"):
                await running

    asyncio.run(body())


def test_a_killed_router_leaves_its_streams_running_and_its_successor_takes_the_port() -> None:
    """SIGKILL of the router costs no running answer; the next one inherits the port and retires the orphan."""

    async def body() -> None:
        backend = Backend("b")
        await backend.start()
        lab = Lab(replicas=0)
        here = str(Path(__file__).parent)
        router = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ROUTER, here, str(lab.port), str(backend.port)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert router.stdout is not None
        line = (await asyncio.wait_for(router.stdout.readline(), 30)).decode().split()
        pid, path = int(line[0]), Path(line[1])
        try:
            import aiohttp  # noqa: PLC0415 - the lab opens its session only when it starts

            async with aiohttp.ClientSession(f"http://127.0.0.1:{lab.port}") as lab.session:
                started = asyncio.Event()
                running = asyncio.create_task(_stream(lab, started))
                await asyncio.wait_for(started.wait(), 10)
                router.kill()
                await router.wait()
                assert (await lab.ask())[0] == 503
                assert path in list(rundir.abandoned())
                async with Lab(replicas=0):
                    assert _alive(pid), "a gateway on another port leaves it alone"
                async with Lab(port=lab.port, replicas=0) as heir:
                    host = Host(address="127.0.0.1", port=backend.port)
                    assert await heir.update(Pool(name="main", endpoints=(host,)))
                    assert (await heir.ask())[0] == 200
                    assert await running == _EVENTS
                    await eventually(lambda: not _alive(pid) and not path.exists(), "the orphan's end")
        finally:
            if _alive(pid):
                os.kill(pid, signal.SIGKILL)
            lab.run.close()
            await backend.stop()

    asyncio.run(body())
