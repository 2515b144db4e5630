"""A gateway in one event loop: a real Envoy, a stub decision server and tiny backends."""

import asyncio
import io
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import grpc
from aiohttp import web

from pointsman.core import headers as names
from pointsman.transports.accesslog.outcome import Outcome
from pointsman.transports.accesslog.sink import AccessLogSink
from pointsman.transports.envoy import binary, rundir
from pointsman.transports.envoy.managed import ManagedEnvoy
from pointsman.transports.envoy.plan import Host, Limits, Listener, Plan, Pool
from pointsman.transports.envoy.process import LogRecord
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

DEADLINE_S = 20.0
DEFAULT_LIMITS = Limits()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until ``condition`` holds, within generous bounds."""
    for _ in range(int(DEADLINE_S / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


class Backend:
    """An engine: answers as the request's ``script`` says, unless told to fail."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = free_port()
        self.status = 200
        self.filler = b""
        """What a stream's events are instead of counting, if anything."""
        self.seen: list[dict[str, Any]] = []
        self._runner: web.AppRunner | None = None
        self._open: asyncio.Transport | None = None

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def host(self) -> Host:
        """As an endpoint of a pool."""
        return Host(address="127.0.0.1", port=self.port)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        script = json.loads(body) if body else {}
        self.seen.append({"headers": dict(request.headers), "path": request.path, "body": body})
        if self.status != 200:
            return web.Response(status=self.status, text="engine says no")
        if not script.get("stream"):
            return web.json_response({"backend": self.name}, headers={"server": "engine"})
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):  # the client may leave whenever it likes
            for number in range(script.get("chunks", 10)):
                await response.write(self.filler or f"data: {number}\n\n".encode())
                self._open = request.transport
                await asyncio.sleep(script.get("pause_s", 0.05))
            await response.write(b"data: [DONE]\n\n")
        return response

    def cut(self) -> None:
        """Reset the connection of the stream that wrote last."""
        if isinstance(self._open, asyncio.Transport):
            self._open.abort()


class Decider:
    """A stub router: does what the request's ``decide`` object says."""

    def __init__(self) -> None:
        self.heads: list[dict[str, str]] = []
        self.metadata: list[dict[str, str]] = []
        self._server: grpc.aio.Server | None = None

    async def start(self, path: Path) -> None:
        """Serve ext_proc on a Unix socket."""
        _clear(path)
        self._server = grpc.aio.server()
        service, method = contract.PROCESS.removeprefix("/").split("/")
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(self._process)
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {method: handler}),)
        )
        self._server.add_insecure_port(f"unix:{path}")
        await self._server.start()

    async def stop(self) -> None:
        """Die without a word: streams in flight are reset."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _process(
        self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        self.metadata.append({key: str(value) for key, value in context.invocation_metadata() or ()})
        async for raw in messages:
            message = pb.ProcessingRequest.FromString(raw)
            if message.HasField("request_headers"):
                head = message.request_headers
                self.heads.append({h.key: h.raw_value.decode() for h in head.headers.headers})
                yield pb.ProcessingResponse(request_headers=pb.HeadersResponse()).SerializeToString()
                if head.end_of_stream:
                    return
                continue
            decide = json.loads(message.request_body.body).get("decide", {})
            await asyncio.sleep(decide.get("delay_s", 0))
            yield _verdict(decide).SerializeToString()
            if not decide.get("linger"):
                return
        await asyncio.sleep(0)


def _verdict(decide: dict[str, Any]) -> pb.ProcessingResponse:
    answer = pb.ProcessingResponse()
    if "reply" in decide:
        answer.immediate_response.status.code = decide["reply"]
        answer.immediate_response.body = b'{"error":{"message":"mine"}}'
        answer.immediate_response.details = contract.REPLY_DETAILS
        return answer
    common = answer.request_body.response
    if "pool" in decide:
        for name, value in ((names.POOL, decide["pool"]), (names.SELECTED_MODEL, "logical")):
            option = common.header_mutation.set_headers.add()
            option.append_action = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
            option.header.key, option.header.raw_value = name, value.encode()
    for name, value in decide.get("set", {}).items():
        option = common.header_mutation.set_headers.add()
        option.append_action = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        option.header.key, option.header.raw_value = name, value.encode()
    common.header_mutation.remove_headers.extend(decide.get("remove", []))
    if "body" in decide:
        common.body_mutation.body = decide["body"].encode()
    common.clear_route_cache = True
    answer.dynamic_metadata.update({contract.NAMESPACE: decide.get("metadata", {})})
    return answer


class Lab:
    """``async with Lab() as lab``: everything runs; ``lab.ask(...)`` sends a request through Envoy."""

    def __init__(
        self,
        *,
        port: int | None = None,
        replicas: int = 2,
        limits: Limits = DEFAULT_LIMITS,
        default_pool: str | None = None,
        **pool: Any,
    ) -> None:
        self.port = port or free_port()
        self.backends = [Backend(f"b{number}") for number in range(replicas)]
        self.decider = Decider()
        self.outcomes: list[Outcome] = []
        self.sink = AccessLogSink(self.outcomes.append)
        self.logs: list[LogRecord] = []
        self.run = rundir.RunDir()
        self._pool = pool
        self.plan = self._plan(limits, default_pool)
        self.envoy = ManagedEnvoy(binary.find(None, os.environ), self.logs.append, drain_s=10.0)
        self.session: aiohttp.ClientSession

    def _plan(self, limits: Limits, default_pool: str | None) -> Plan:
        return Plan(
            listeners=(Listener(name="test", address="127.0.0.1", port=self.port),),
            pools=(self.pool("main", *self.backends),),
            run_dir=self.run.path,
            extproc_socket=self.run.path / rundir.EXTPROC_SOCKET,
            accesslog_socket=self.run.path / rundir.ACCESSLOG_SOCKET,
            admin_socket=self.run.path / rundir.ADMIN_SOCKET,
            limits=limits,
            default_pool=default_pool,
            concurrency=1,
        )

    def pool(self, name: str, *backends: Backend) -> Pool:
        """A pool of these backends, with the lab's options."""
        return Pool(name=name, endpoints=tuple(backend.host for backend in backends), **self._pool)

    async def update(self, *pools: Pool) -> bool:
        """Replace the pools while Envoy runs."""
        return await self.envoy.update(replace(self.plan, pools=pools))

    async def start_decider(self) -> None:
        """(Re)start the stub router, and wait until Envoy reaches it."""
        await self.decider.start(self.plan.extproc_socket)

    async def __aenter__(self) -> Self:
        for backend in self.backends:
            await backend.start()
        await self.start_decider()
        await self.sink.start(self.plan.accesslog_socket)
        self.session = aiohttp.ClientSession(f"http://127.0.0.1:{self.port}")
        try:
            await self.envoy.start(self.plan)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.envoy.stop()
        await self.decider.stop()
        await self.sink.stop()
        for backend in self.backends:
            await backend.stop()
        self.run.close()

    @asynccontextmanager
    async def open(
        self, script: dict[str, Any] | None = None, *, pool: str | None = "main", **request: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A request whose decision is ``pool`` unless ``script`` holds its own ``decide``."""
        body = {"decide": {} if pool is None else {"pool": pool}, **(script or {})}
        payload = io.BytesIO(json.dumps(body).encode())
        async with self.session.post("/v1/chat/completions", data=payload, **request) as response:
            yield response

    async def ask(
        self, script: dict[str, Any] | None = None, *, pool: str | None = "main", **request: Any
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, decoded JSON (or text) and headers (names in lower case) of a request."""
        async with self.open(script, pool=pool, **request) as response:
            text = await response.text()
            headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, json.loads(text) if text[:1] == "{" else text, headers


def _clear(path: Path) -> None:
    path.unlink(missing_ok=True)


def events(body: str) -> list[str]:
    """The payloads of a server-sent event stream."""
    return [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
