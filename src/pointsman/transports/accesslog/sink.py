"""The gRPC service Envoy streams its access log to."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import grpc
from google.protobuf.message import DecodeError

from pointsman.transports.accesslog.outcome import Outcome, decode
from pointsman.transports.wire import accesslog_pb2 as pb
from pointsman.transports.wire import contract

_GRACE_S = 1.0
_MAX_MESSAGE_BYTES = 16 << 20


class AccessLogSink:
    """Calls ``on_outcome`` for each request that ended, on the event loop, a fifth of a second late.

    Nothing that arrives can end the stream: what cannot be read, and what ``on_outcome`` raises, is counted.
    While nobody listens Envoy drops its entries; requests do not notice.
    """

    def __init__(self, on_outcome: Callable[[Outcome], None]) -> None:
        self._on_outcome = on_outcome
        self._server: grpc.aio.Server | None = None
        self.received = 0
        """Entries handed on."""
        self.malformed = 0
        """Messages or entries that could not be read."""
        self.failed = 0
        """Entries whose receiver raised."""

    async def start(self, socket: Path) -> None:
        """Listen on a Unix socket, replacing a stale one."""
        _clear(socket)
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES)])
        service, _, method = contract.STREAM_ACCESS_LOGS.removeprefix("/").partition("/")
        # Raw bytes in and out: a message that does not parse must not end the stream.
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self._stream)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        server.add_insecure_port(f"unix:{socket}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Take what is under way, then close; safe to repeat."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop(_GRACE_S)

    async def _stream(self, messages: AsyncIterator[bytes], _context: object) -> bytes:
        async for message in messages:
            self.feed(message)
        return pb.StreamAccessLogsResponse().SerializeToString()

    def feed(self, message: bytes) -> None:
        """One serialized ``StreamAccessLogsMessage``."""
        try:
            entries = pb.StreamAccessLogsMessage.FromString(message).http_logs.log_entry
        except DecodeError:
            self.malformed += 1
            return
        for entry in entries:
            self._entry(entry)

    def _entry(self, entry: pb.HTTPAccessLogEntry) -> None:
        try:
            outcome = decode(entry)
        except ValueError:
            self.malformed += 1
            return
        self.received += 1
        try:
            self._on_outcome(outcome)
        except Exception:  # noqa: BLE001 - one receiver's defect must not end the feedback of all requests
            self.failed += 1


def _clear(socket: Path) -> None:
    socket.unlink(missing_ok=True)
