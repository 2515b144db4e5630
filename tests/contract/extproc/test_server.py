"""The gRPC server against a real gRPC client."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pointsman.core.errors import StartError
from pointsman.transports.extproc.address import Address
from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer, Tls
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

_MANAGED = ((contract.DATA_PLANE, contract.MANAGED),)


def _pool(answer: pb.ProcessingResponse) -> bytes | None:
    options = answer.request_body.response.header_mutation.set_headers
    return {option.header.key: option.header.raw_value for option in options}.get("x-pointsman-pool")


def test_a_managed_stream_is_ended_by_the_server(bed: Any, fake_router: Any) -> None:
    """On a Unix socket our own data plane gets its pool, and the stream ends with OK right after."""

    async def main() -> None:
        async with bed(fake_router()) as ground:
            stream = ground.stream(_MANAGED)
            assert _pool(await stream.ask()) == b"pool"
            assert await stream.read() is grpc.aio.EOF
            assert await stream.code() is grpc.StatusCode.OK
            await ground.idle()

    asyncio.run(main())


def test_nobody_is_managed_over_tcp(bed: Any, fake_router: Any) -> None:
    """Whoever says so over the network is a foreign data plane all the same."""

    async def main() -> None:
        async with bed(fake_router(), address="127.0.0.1:0") as ground:
            assert _pool(await ground.stream(_MANAGED).ask()) is None

    asyncio.run(main())


def test_foreign_responses_are_reported(bed: Any, fake_router: Any) -> None:
    """The status of a response seen on a foreign data plane reaches the callback with the request's id."""

    async def main() -> None:
        async with bed(fake_router()) as ground:
            stream = ground.stream()
            await stream.ask()
            message = pb.ProcessingRequest()
            message.response_headers.headers.headers.add(key=":status", raw_value=b"207")
            await stream.send(message)
            assert (await stream.read()).WhichOneof("response") == "response_headers"
            assert ground.responses == [("r-1", 207)]

    asyncio.run(main())


@pytest.mark.parametrize("wrong", [b"", b"\xff\xff\xff", b"\x9a\x06\x00"])
def test_unknown_messages_end_the_stream_with_a_reason(bed: Any, fake_router: Any, wrong: bytes) -> None:
    """Empty, garbled and future messages are INVALID_ARGUMENT, counted, and the server serves on."""

    async def main() -> None:
        async with bed(fake_router()) as ground:
            stream = ground.stream()
            await stream.send(wrong)
            assert await stream.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert ground.errors == {"protocol": 1}
            assert _pool(await ground.stream(_MANAGED).ask()) == b"pool"
            await ground.idle()

    asyncio.run(main())


@pytest.mark.parametrize("phase", ["nothing", "headers"])
def test_a_half_close_before_the_answer_ends_the_stream(bed: Any, fake_router: Any, phase: str) -> None:
    """A client that stops talking too early is counted and let go, with nothing left behind."""

    async def main() -> None:
        async with bed(fake_router()) as ground:
            stream = ground.stream()
            if phase == "headers":
                await stream.headers()
                await stream.read()
            await stream.call.done_writing()
            assert await stream.code() is grpc.StatusCode.OK
            await ground.idle()
            assert ground.errors == {"abandoned": 1}

    asyncio.run(main())


@pytest.mark.parametrize(("phase", "counted"), [("headers", 1), ("deciding", 1), ("answered", 0)])
def test_a_cancelled_stream_leaves_nothing_in_flight(
    bed: Any, fake_router: Any, phase: str, counted: int
) -> None:
    """At whatever moment the client cancels, its decision is cancelled with it and the slot is free again."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event() if phase == "deciding" else None)
        async with bed(router) as ground:
            stream = ground.stream()
            await stream.headers()
            await stream.read()
            if phase != "headers":
                await stream.body()
            if phase == "deciding":
                await ground.until(lambda: router.waiting == 1)
                assert ground.server.in_flight == 1
            elif phase == "answered":
                await stream.read()
            stream.call.cancel()
            await ground.idle()
            assert (router.waiting, ground.errors["abandoned"]) == (0, counted)

    asyncio.run(main())


def test_a_lost_connection_leaves_nothing_in_flight(bed: Any, fake_router: Any) -> None:
    """When a data plane dies, every one of its decisions is cancelled and every slot freed."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with bed(router) as ground:
            streams = [ground.stream() for _ in range(5)]
            for stream in streams:
                await stream.headers()
                await stream.read()
                await stream.body()
            await ground.until(lambda: ground.server.in_flight == 5)
            await ground.channel.close()
            await ground.idle()
            assert (router.waiting, ground.errors) == (0, {"abandoned": 5})

    asyncio.run(main())


def test_a_panicking_router_is_a_500_and_the_server_lives(bed: Any, fake_router: Any) -> None:
    """One request's defect is that request's 500; the next request is served."""

    async def main() -> None:
        router = fake_router(defect=RuntimeError("boom"))
        async with bed(router) as ground:
            answer = await ground.stream().ask()
            assert answer.immediate_response.status.code == 500
            assert b"boom" not in answer.immediate_response.body
            router.defect = None
            assert _pool(await ground.stream(_MANAGED).ask()) == b"pool"
            assert ground.errors == {"defect": 1}

    asyncio.run(main())


def test_a_slow_router_is_a_503_at_the_deadline(bed: Any, fake_router: Any) -> None:
    """A decision that does not come is refused in the client's shape, and its slot freed."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with bed(router, decision_timeout_s=0.05) as ground:
            answer = await ground.stream().ask()
            assert answer.immediate_response.status.code == 503
            await ground.idle()
            assert (router.waiting, ground.errors) == (0, {"deadline": 1})

    asyncio.run(main())


def test_the_bound_on_decisions_is_reached_and_kept(bed: Any, fake_router: Any) -> None:
    """With every slot taken the next request is 429 at once; with slots free again all are served."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with bed(router, max_concurrent=3) as ground:
            held = [asyncio.create_task(ground.stream(_MANAGED).ask()) for _ in range(3)]
            await ground.until(lambda: ground.server.in_flight == 3)
            refused = [await ground.stream(_MANAGED).ask() for _ in range(4)]
            assert [answer.immediate_response.status.code for answer in refused] == [429] * 4
            assert (ground.server.in_flight, router.waiting) == (3, 3)
            router.gate.set()
            assert [_pool(answer) for answer in await asyncio.gather(*held)] == [b"pool"] * 3
            await ground.idle()
            assert ground.errors == {"overload": 4}

    asyncio.run(main())


def test_a_body_over_the_bound_is_413_and_far_over_ends_the_stream(bed: Any, fake_router: Any) -> None:
    """Somewhat too large is refused in words; beyond the message bound gRPC cuts the stream."""

    async def main() -> None:
        async with bed(fake_router(), max_body_bytes=1000) as ground:
            answer = await ground.stream().ask(b"x" * 1001)
            assert answer.immediate_response.status.code == 413
            stream = ground.stream()
            await stream.headers()
            await stream.read()
            await stream.body(b"x" * 4_000_000)
            assert await stream.code() is not grpc.StatusCode.OK
            await ground.idle()

    asyncio.run(main())


async def _health(channel: grpc.aio.Channel) -> dict[str, str]:
    services = ("", "readiness", "liveness", "envoy.service.ext_proc.v3.ExternalProcessor")
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answers = [await stub.Check(health_pb2.HealthCheckRequest(service=name)) for name in services]
    return {
        name: health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        for name, answer in zip(services, answers, strict=True)
    }


def test_health_follows_readiness(bed: Any, fake_router: Any) -> None:
    """Alive from the start, ready when told so, and no unknown service is ever healthy."""

    async def main() -> None:
        async with bed(fake_router()) as ground:
            before = await _health(ground.channel)
            await ground.server.set_ready(ready=True)
            after = await _health(ground.channel)
            assert set(after.values()) == {"SERVING"}
            assert before == {**dict.fromkeys(after, "NOT_SERVING"), "liveness": "SERVING"}
            stub: Any = health_pb2_grpc.HealthStub(ground.channel)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Check(health_pb2.HealthCheckRequest(service="no such"))
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(main())


def test_stopping_lets_a_running_decision_finish(bed: Any, fake_router: Any) -> None:
    """A drain refuses new streams and still answers the ones that are open."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with bed(router) as ground:
            held = asyncio.create_task(ground.stream(_MANAGED).ask())
            await ground.until(lambda: ground.server.in_flight == 1)
            stopping = asyncio.create_task(ground.server.stop(20))
            await asyncio.sleep(0)
            router.gate.set()
            assert _pool(await held) == b"pool"
            await stopping
            assert ground.server.streams == 0

    asyncio.run(main())


def test_stopping_cancels_what_outlives_the_grace(bed: Any, fake_router: Any) -> None:
    """A decision that never ends does not keep the server from stopping."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with bed(router) as ground:
            held = asyncio.create_task(ground.stream(_MANAGED).ask())
            await ground.until(lambda: ground.server.in_flight == 1)
            await ground.server.stop(0.05)
            await ground.idle()
            with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
                await held
            assert router.waiting == 0

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_a_taken_address_is_a_start_error(fake_router: Any, tmp_path: Path, kind: str) -> None:
    """The error names the address and what to do, and the server that was there first is undisturbed."""

    async def main() -> None:
        text = f"unix:{tmp_path}/x.sock" if kind == "unix" else "127.0.0.1:0"
        first = ExtProcServer(fake_router, ExtProcOptions(text))
        await first.start()
        address = text if kind == "unix" else f"127.0.0.1:{first.port}"
        with pytest.raises(StartError, match=f"{address}.*choose another address"):
            await ExtProcServer(fake_router, ExtProcOptions(address)).start()
        async with grpc.aio.insecure_channel(address) as channel:
            assert (await _health(channel))["liveness"] == "SERVING"
        await first.stop(0)

    asyncio.run(main())


def test_a_socket_left_by_a_dead_server_is_reused(bed: Any, fake_router: Any, tmp_path: Path) -> None:
    """A crash leaves its socket file behind; that does not keep the next start from listening."""

    async def main() -> None:
        path = tmp_path / "x.sock"
        abandoned = await asyncio.create_subprocess_exec(
            "python3", "-c", f"import socket; socket.socket(socket.AF_UNIX).bind({str(path)!r})"
        )
        await abandoned.wait()
        assert path.is_socket()
        async with bed(fake_router()) as ground:
            assert _pool(await ground.stream(_MANAGED).ask()) == b"pool"
            assert path.stat().st_mode & 0o777 == 0o600

    asyncio.run(main())


@pytest.mark.parametrize("text", ["", "50051", "unix:relative.sock", "host:port", "host:99999", ":1"])
def test_a_malformed_address_is_a_start_error(text: str) -> None:
    """What is no address is refused with an example of one."""
    with pytest.raises(StartError, match="like"):
        Address.parse(text)


def test_an_impossible_socket_path_is_a_start_error(tmp_path: Path) -> None:
    """A missing directory, a file in the way and a path too long are each told apart."""
    (tmp_path / "file").write_text("")
    paths = {tmp_path / "no" / "x": "create the directory", tmp_path / "file": "not a socket"}
    for path, words in {**paths, tmp_path / ("x" * 120): "107 bytes"}.items():
        with pytest.raises(StartError, match=words):
            Address.parse(f"unix:{path}").prepare()


def test_a_bad_certificate_is_a_start_error(fake_router: Any) -> None:
    """A key that is none fails the start, not the first connection."""
    options = ExtProcOptions("127.0.0.1:0", tls=Tls(b"no cert", b"no key"))
    with pytest.raises(StartError, match="PEM"):
        asyncio.run(ExtProcServer(fake_router, options).start())
