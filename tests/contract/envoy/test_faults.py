"""What clients notice when a part dies, hangs or changes: as little as possible."""

import asyncio
import json
from typing import Any

import pytest
from envoy_lab import Backend, Lab, events, eventually

from pointsman.transports.envoy.plan import Limits

pytestmark = pytest.mark.envoy

_CHUNKS = 30
_STREAM = {"stream": True, "chunks": _CHUNKS, "pause_s": 0.05}


async def _first_event(lab: Lab, script: dict[str, Any], started: asyncio.Event) -> tuple[int, list[str]]:
    """Read a stream to its end; ``started`` is set at its first byte."""
    async with lab.open(script) as response:
        text = b""
        async for chunk in response.content.iter_any():
            text += chunk
            started.set()
        return response.status, events(text.decode())


async def _under_way(lab: Lab, script: dict[str, Any] | None = None) -> asyncio.Task[tuple[int, list[str]]]:
    started = asyncio.Event()
    task = asyncio.create_task(_first_event(lab, script or _STREAM, started))
    await asyncio.wait_for(started.wait(), 10)
    return task


def _whole(result: tuple[int, list[str]]) -> bool:
    status, received = result
    return status == 200 and received == [*map(str, range(_CHUNKS)), "[DONE]"]


def test_a_dead_router_costs_new_requests_a_503_and_running_streams_nothing() -> None:
    """Streams outlive the router; what it did not decide is refused; once it is back, so is service."""

    async def body() -> None:
        async with Lab() as lab:
            running = await _under_way(lab)
            await lab.decider.stop()
            status, error, _ = await lab.ask()
            assert (status, error["error"]["type"]) == (503, "service_unavailable")
            assert _whole(await running)
            await lab.start_decider()
            statuses = [(await lab.ask())[0] for _ in range(3)]
            for _ in range(100):
                if statuses[-1] == 200:
                    break
                await asyncio.sleep(0.1)
                statuses.append((await lab.ask())[0])
            assert statuses[-1] == 200

    asyncio.run(body())


def test_a_router_killed_with_the_stream_still_open_leaves_the_answer_whole() -> None:
    """Even if the decision stream was not ended by the server, its loss does not cut a running answer."""

    async def body() -> None:
        async with Lab() as lab:
            running = await _under_way(lab, {**_STREAM, "decide": {"pool": "main", "linger": True}})
            await lab.decider.stop()
            assert _whole(await running)

    asyncio.run(body())


def test_all_replicas_down_is_a_503_in_the_openai_shape() -> None:
    """Refused connections end as ``service_unavailable`` with a hint to retry, after the configured tries."""

    async def body() -> None:
        async with Lab() as lab:
            for backend in lab.backends:
                await backend.stop()
            status, error, headers = await lab.ask()
            assert (status, error["error"]["code"]) == (503, 503)
            assert error["error"]["type"] == "service_unavailable"
            assert "retry-after" in headers
            await eventually(lambda: len(lab.outcomes) == 1, "an outcome")
            assert lab.outcomes[0].pool == "main"
            assert lab.outcomes[0].attempts > 1
            assert "upstream_connection_failure" in lab.outcomes[0].flags

    asyncio.run(body())


def test_an_empty_pool_is_a_503_in_the_openai_shape() -> None:
    """A pool without endpoints refuses at once instead of hanging."""

    async def body() -> None:
        async with Lab() as lab:
            assert await lab.update(lab.pool("main"))
            status, error, _ = await lab.ask()
            assert (status, error["error"]["type"]) == (503, "service_unavailable")
            assert "No replica" in error["error"]["message"]

    asyncio.run(body())


@pytest.mark.parametrize("fault", ["refuses", "says 503"])
def test_a_retry_reaches_the_other_replica(fault: str) -> None:
    """A replica that refuses connections or says 503 is invisible while another one works."""

    async def body() -> None:
        async with Lab(lb_policy="round_robin") as lab:
            bad, good = lab.backends
            if fault == "refuses":
                await bad.stop()
            bad.status = 503
            for _ in range(6):
                status, answer, _ = await lab.ask()
                assert (status, answer) == (200, {"backend": good.name})
            await eventually(lambda: len(lab.outcomes) == 6, "six outcomes")
            assert max(outcome.attempts for outcome in lab.outcomes) == 2

    asyncio.run(body())


def test_a_started_answer_is_never_retried() -> None:
    """Once a byte went to the client, a replica's death ends the answer: it is not replayed elsewhere."""

    async def body() -> None:
        async with Lab(retry_on=("connect-failure", "reset", "5xx")) as lab:
            running = await _under_way(lab)
            server = next(backend for backend in lab.backends if backend.seen)
            await server.stop()
            with pytest.raises(Exception, match=r"(?i)payload|transfer|disconnect|closed"):
                await running
            assert sum(len(backend.seen) for backend in lab.backends) == 1

    asyncio.run(body())


def test_endpoints_replaced_under_load_fail_no_request() -> None:
    """Replicas come and go by file replacement while every request is answered."""

    async def body() -> None:
        async with Lab() as lab:
            statuses: list[int] = []
            stopping = asyncio.Event()

            async def load() -> None:
                while not stopping.is_set():
                    statuses.append((await lab.ask())[0])

            workers = [asyncio.create_task(load()) for _ in range(4)]
            one, two = lab.backends
            for chosen in ((one,), (two,), (one, two)) * 5:
                assert await lab.update(lab.pool("main", *chosen))
                await asyncio.sleep(0.1)
            stopping.set()
            await asyncio.gather(*workers)
            assert len(statuses) > 20
            assert set(statuses) == {200}

    asyncio.run(body())


def test_a_stream_outlives_the_removal_of_its_pool() -> None:
    """Taking a pool out of the configuration ends no running answer, and new requests for it get a 503."""

    async def body() -> None:
        async with Lab() as lab:
            running = await _under_way(lab)
            assert await lab.update(lab.pool("other", *lab.backends))
            assert await lab.update(lab.pool("another", *lab.backends))
            assert (await lab.ask(pool="main"))[0] == 503
            assert (await lab.ask(pool="another"))[0] == 200
            assert _whole(await running)

    asyncio.run(body())


def test_an_idle_stream_is_cut_and_a_busy_one_is_not() -> None:
    """The idle timeout counts silence, not length; before the first byte it is a 504 in the OpenAI shape."""

    async def body() -> None:
        async with Lab(replicas=1, limits=Limits(stream_idle_timeout_s=1.0)) as lab:
            busy = await _under_way(lab, {**_STREAM, "pause_s": 0.1})
            idle = await _under_way(lab, {"stream": True, "chunks": 2, "pause_s": 30})
            with pytest.raises(Exception, match=r"(?i)payload|transfer|disconnect|closed"):
                await asyncio.wait_for(idle, 15)
            assert _whole(await busy)
            await eventually(lambda: any("stream_idle_timeout" in o.flags for o in lab.outcomes), "a flag")

    asyncio.run(body())


def test_silence_before_the_first_byte_is_a_504_in_the_openai_shape() -> None:
    """A replica that accepts a request and says nothing is given up with a ``timeout_error``."""

    async def body() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = Backend("silent")
        server = await asyncio.start_server(mute, "127.0.0.1", silent.port)
        async with server, Lab(limits=Limits(stream_idle_timeout_s=0.7)) as lab:
            assert await lab.update(lab.pool("main", silent))
            status, error, _ = await lab.ask()
            assert (status, error["error"]["code"], error["error"]["type"]) == (504, 504, "timeout_error")

    asyncio.run(body())


def test_a_partial_request_is_given_up() -> None:
    """A client that announces a body and never sends it gets a 408 in the OpenAI shape."""

    async def body() -> None:
        async with Lab(replicas=1, limits=Limits(stream_idle_timeout_s=0.7)) as lab:
            reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
            writer.write(b"POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
            raw = await asyncio.wait_for(reader.read(), 15)
            writer.close()
            head, _, payload = raw.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408")
            assert json.loads(payload)["error"]["type"] == "timeout_error"

    asyncio.run(body())
