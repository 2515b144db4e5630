"""The gRPC server Envoy's ext_proc filter calls: streams in, exchanges driven, health answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
import msgspec
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pointsman.core.errors import StartError
from pointsman.core.router import Router
from pointsman.transports.extproc.address import Address
from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.answer_exchange import AnswerExchange
from pointsman.transports.extproc.events import Events
from pointsman.transports.extproc.exchange import Exchange
from pointsman.transports.extproc.filtering import Bounds
from pointsman.transports.extproc.handover import Handover
from pointsman.transports.extproc.ruling import Limits
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

_SERVICE, _METHOD = contract.PROCESS.strip("/").split("/")
_ENVELOPE_BYTES = 1024 * 1024
"""Room for headers and attributes around a body."""
_READINESS = ("", "readiness", _SERVICE)
_LIVENESS = "liveness"

_Context = grpc.aio.ServicerContext[bytes, pb.ProcessingResponse]


class Tls(msgspec.Struct, frozen=True):
    """What the server proves itself with, PEM."""

    cert: bytes
    """Certificate chain, leaf first."""
    key: bytes


class ExtProcOptions(msgspec.Struct, frozen=True):
    """Where the server listens and what bounds it."""

    address: str
    """``unix:/path`` or ``host:port``; port 0 lets the system choose."""
    max_concurrent: int = 256
    """Decisions in flight; a request beyond is refused at once with 429, never queued."""
    max_body_bytes: int = Limits().max_body_bytes
    decision_timeout_s: float = Limits().decision_timeout_s
    max_answers: int = 1024
    """Answers being filtered, or about to be; a request beyond is refused with 503 before it is sent."""
    answer: Bounds = Bounds()
    max_message_bytes: int | None = None
    """Largest gRPC message. ``None``: twice the body bound and a margin, so that a body somewhat too large is
    refused in words (413); what is larger still ends its stream with RESOURCE_EXHAUSTED."""
    tls: Tls | None = None


class ExtProcServer:
    """Serves ext_proc and gRPC health on one address.

    ``router`` is asked once per stream, so that a swapped configuration reaches the next request. Health
    services ``""``, ``readiness`` and the ext_proc service follow ``set_ready``; ``liveness`` serves from the
    start.
    """

    def __init__(
        self, router: Callable[[], Router], options: ExtProcOptions, events: Events | None = None
    ) -> None:
        self._router = router
        self._options = options
        self._address = Address.parse(options.address)
        self._limits = Limits(options.max_body_bytes, options.decision_timeout_s, options.answer)
        self._admission = Admission(options.max_concurrent)
        self._handover = Handover(options.max_answers)
        self._events = events or Events()
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._port = 0
        self._streams = 0

    @property
    def in_flight(self) -> int:
        """Decisions being made now."""
        return self._admission.in_flight

    @property
    def answers(self) -> int:
        """Answers being filtered, or about to be."""
        return self._handover.size

    @property
    def streams(self) -> int:
        """Streams open now."""
        return self._streams

    @property
    def port(self) -> int:
        """The TCP port bound; 0 before the start and on a Unix socket."""
        return 0 if self._address.is_unix else self._port

    async def start(self) -> None:
        """Bind and serve; ``StartError`` when the address cannot be had or the certificate not used."""
        self._address.prepare()
        server = grpc.aio.server(options=self._grpc_options())
        server.add_generic_rpc_handlers((self._handler(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self._port = self._bind(server)
        if self._address.is_unix:
            # Whoever can connect may call itself our data plane.
            await asyncio.to_thread(Path(self._address.unix_path).chmod, 0o600)
        await self._health.set(_LIVENESS, health_pb2.HealthCheckResponse.SERVING)
        await self.set_ready(ready=False)
        await server.start()
        self._server = server

    async def stop(self, grace: float) -> None:
        """Report not serving, take no new streams, wait ``grace`` seconds for open ones, cancel the rest."""
        if self._server is None:
            return
        server, self._server = self._server, None
        await self._health.enter_graceful_shutdown()
        await server.stop(grace)

    async def set_ready(self, *, ready: bool) -> None:
        """Say whether requests can be decided."""
        status = (
            health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for service in _READINESS:
            await self._health.set(service, status)

    def _grpc_options(self) -> list[tuple[str, int]]:
        limit = self._options.max_message_bytes
        if limit is None:
            limit = 2 * self._options.max_body_bytes + _ENVELOPE_BYTES
        return [
            ("grpc.max_receive_message_length", limit),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),  # a second server on the port is a mistake, not a second worker
        ]

    def _handler(self) -> grpc.GenericRpcHandler:
        method: grpc.RpcMethodHandler[bytes, pb.ProcessingResponse] = grpc.stream_stream_rpc_method_handler(
            self._process, response_serializer=pb.ProcessingResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: method})

    def _bind(self, server: grpc.aio.Server) -> int:
        tls = self._options.tls
        try:
            if tls is None:
                port = server.add_insecure_port(self._address.text)
            else:
                credentials = grpc.ssl_server_credentials([(tls.key, tls.cert)])
                port = server.add_secure_port(self._address.text, credentials)
        except RuntimeError as exc:
            raise self._bind_error() from exc
        if port == 0:
            raise self._bind_error()
        return port

    def _bind_error(self) -> StartError:
        if self._options.tls is None:
            return self._address.taken()
        return StartError(f"{self._address.taken()}. If it is free, check the PEM certificate and key")

    def _conversation(self, kind: str) -> Exchange | AnswerExchange:
        """What this stream is for, as the data plane says; only our own can connect to a Unix socket."""
        if kind == contract.MANAGED_ANSWER:
            return AnswerExchange(self._handover, bounds=self._limits.answer, events=self._events)
        return Exchange(
            self._router(),
            managed=kind == contract.MANAGED,
            limits=self._limits,
            admission=self._admission,
            handover=self._handover,
            events=self._events,
        )

    async def _process(
        self, requests: AsyncIterator[bytes], context: _Context
    ) -> AsyncIterator[pb.ProcessingResponse]:
        exchange = self._conversation(_kind(context) if self._address.is_unix else "")
        self._streams += 1
        try:
            async for data in requests:
                for answer in await exchange.feed(data):
                    yield answer
                if exchange.done:
                    break
        finally:
            outcome = "violation" if exchange.violation else "answered" if exchange.answered else "abandoned"
            exchange.leave()
            self._streams -= 1
            self._events.on_stream(outcome)
        if exchange.violation:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, exchange.violation)


def _kind(context: _Context) -> str:
    metadata = context.invocation_metadata() or ()
    return next((str(value) for key, value in metadata if key == contract.DATA_PLANE), "")
