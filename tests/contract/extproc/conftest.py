"""A gRPC server with a fake router, and a client that speaks as Envoy does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from pointsman.core.errors import HttpError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, HeaderEdits, Reply, Verdict
from pointsman.dialects.errors import error_reply
from pointsman.transports.extproc.events import Events
from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

PATIENCE_S = 20.0


@dataclass
class FakeRouter:
    """Forwards everything, unless told to block or to fail."""

    verdict: Verdict = field(
        default_factory=lambda: Forward("pool", headers=HeaderEdits({"x-selected-model": "m"}))
    )
    defect: BaseException | None = None
    gate: asyncio.Event | None = None
    """Decisions wait for it."""
    waiting: int = 0

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        """Nothing is settled by the request line."""
        del head, managed

    async def route(self, head: Head, body: bytes) -> Ruling:
        """The verdict, once the gate is open."""
        del body
        if self.defect is not None:
            raise self.defect
        if self.gate is not None:
            self.waiting += 1
            try:
                await self.gate.wait()
            finally:
                self.waiting -= 1
        return Ruling(self.verdict, Trace(request_id=head.request_id))

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        """The common error shape."""
        return Ruling(error_reply(error), Trace(request_id=head.request_id, error=error.message))


class Stream:
    """One ext_proc stream, as Envoy opens one for each HTTP request."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        method = channel.stream_stream(
            contract.PROCESS, response_deserializer=pb.ProcessingResponse.FromString
        )
        self.call: Any = method(metadata=metadata)

    async def send(self, message: pb.ProcessingRequest | bytes) -> None:
        """Send a message, or bytes that claim to be one."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        await self.call.write(data)

    async def headers(self, *, end: bool = False) -> None:
        """Send the headers of a chat request."""
        message = pb.ProcessingRequest()
        message.request_headers.end_of_stream = end
        for key, value in ((":method", "POST"), (":path", "/v1/chat/completions"), ("x-request-id", "r-1")):
            message.request_headers.headers.headers.add(key=key, raw_value=value.encode())
        await self.send(message)

    async def body(self, data: bytes = b"{}") -> None:
        """Send a whole body."""
        message = pb.ProcessingRequest()
        message.request_body.body = data
        message.request_body.end_of_stream = True
        await self.send(message)

    async def read(self) -> Any:
        """The next answer, or ``grpc.aio.EOF``."""
        return await asyncio.wait_for(self.call.read(), PATIENCE_S)

    async def code(self) -> grpc.StatusCode:
        """How the stream ended."""
        return await asyncio.wait_for(self.call.code(), PATIENCE_S)

    async def ask(self, body: bytes = b"{}") -> Any:
        """A whole request; the answer to its body."""
        await self.headers()
        await self.read()
        await self.body(body)
        return await self.read()


@dataclass
class Bed:
    """A running server, its counts, and a channel to it."""

    server: ExtProcServer
    channel: grpc.aio.Channel
    errors: Counter[str]
    rulings: list[Ruling]
    responses: list[tuple[str, int]]

    def stream(self, metadata: tuple[tuple[str, str], ...] = ()) -> Stream:
        """Open a stream."""
        return Stream(self.channel, metadata)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until ``fact`` holds; fails after a generous while."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():  # noqa: ASYNC110  # what is awaited has no event
                await asyncio.sleep(0.005)

    async def idle(self) -> None:
        """Wait until nothing is open and nothing being decided."""
        await self.until(lambda: self.server.streams == 0 and self.server.in_flight == 0)


@pytest.fixture
def bed(tmp_path: Path) -> Callable[..., Any]:
    """Start a server on a Unix socket (or ``address``) around a router, as an async context."""

    @asynccontextmanager
    async def start(router: FakeRouter, **options: Any) -> AsyncIterator[Bed]:
        errors: Counter[str] = Counter()
        rulings: list[Ruling] = []
        responses: list[tuple[str, int]] = []
        events = Events(
            on_ruling=lambda _head, ruling: rulings.append(ruling),
            on_response=lambda request_id, status, _duration: responses.append((request_id, status)),
            on_error=lambda kind, _exc: errors.update([kind.value]),
        )
        options.setdefault("address", f"unix:{tmp_path}/x.sock")
        server = ExtProcServer(lambda: router, ExtProcOptions(**options), events)
        await server.start()
        target = f"127.0.0.1:{server.port}" if server.port else options["address"]
        try:
            async with grpc.aio.insecure_channel(target) as channel:
                yield Bed(server, channel, errors, rulings, responses)
        finally:
            await server.stop(0)

    return start


@pytest.fixture(scope="session")
def fake_router() -> type[FakeRouter]:
    """The class of the fake router."""
    return FakeRouter
