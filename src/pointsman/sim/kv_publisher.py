"""KV events over ZeroMQ as vLLM publishes them: numbered batches on PUB, missed ones again on ROUTER."""

import asyncio
import contextlib
import importlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pointsman.sim import kv_events
from pointsman.sim.settings import KvEventsSettings, SimSettings, shift_port

END_SEQUENCE = (-1).to_bytes(8, signed=True)
_QUEUE_FRAMES = 100_000  # a subscriber that is further behind loses batches, as with vLLM's own hwm
_REPLAY_TIMEOUT_S = 5.0
_log = logging.getLogger(__name__)


class KvEventsError(Exception):
    """KV events cannot be published; the message says what to do."""


class KvPublisher:
    """Two sockets, the last sequence number, and the batches that can still be asked for."""

    def __init__(self, settings: SimSettings, events: KvEventsSettings) -> None:
        self._settings = events
        self._dp_rank = settings.dp_rank
        self.topic = _filled(events.topic, settings)
        self.drop_next = 0
        """So many batches from now on are not published, only kept for replay."""
        self.sequence = 0
        """The number of the next batch."""
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=events.buffer_steps)
        self._zmq: Any = _pyzmq()
        self._context: Any = self._zmq.asyncio.Context()
        self._pub: Any = self._zmq.Context(self._context).socket(self._zmq.PUB)
        self._pub.set_hwm(_QUEUE_FRAMES)
        self._replay: Any = None
        self.endpoint = self.replay_endpoint = ""
        self._answering: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Bind or connect the sockets. Raises KvEventsError."""
        self.endpoint = self._attach(self._pub, self._settings.endpoint, bind=self._settings.binds)
        if self._settings.replay_endpoint is not None:
            self._replay = self._context.socket(self._zmq.ROUTER)
            self.replay_endpoint = self._attach(self._replay, self._settings.replay_endpoint, bind=True)
            self._answering = asyncio.create_task(self._answer())

    async def close(self) -> None:
        """Close the sockets; what was not delivered is lost."""
        if self._answering is not None:
            self._answering.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._answering
        for socket in (self._pub, self._replay):
            if socket is not None:
                socket.close(linger=0)
        self._context.term()

    def publish(self, events: Sequence[kv_events.Event]) -> None:
        """Send a batch to whoever listens; never waits."""
        payload = kv_events.encode(
            events, at=time.time(), dp_rank=self._dp_rank, encoding=self._settings.encoding
        )
        sequence, self.sequence = self.sequence, self.sequence + 1
        self._kept.append((sequence, payload))
        if self.drop_next > 0:
            self.drop_next -= 1
            return
        with contextlib.suppress(self._zmq.Again):
            self._pub.send_multipart(
                [self.topic.encode(), sequence.to_bytes(8), payload], flags=self._zmq.NOBLOCK
            )

    def describe(self) -> dict[str, Any]:
        """What /kv_event_sources says of it."""
        return {
            "endpoint": self.endpoint,
            "replay_endpoint": self.replay_endpoint or None,
            "topic": self.topic,
        }

    def _attach(self, socket: Any, endpoint: str, *, bind: bool) -> str:
        wanted = shift_port(endpoint, self._dp_rank)
        try:
            if bind:
                socket.bind(wanted)
            else:
                socket.connect(wanted)
        except self._zmq.ZMQError as error:
            raise KvEventsError(f"KV events cannot use {wanted}: {error}; choose another endpoint") from None
        found: str = socket.getsockopt_string(self._zmq.LAST_ENDPOINT)
        return found

    async def _answer(self) -> None:
        while True:
            frames = await self._replay.recv_multipart()
            if len(frames) != 3 or len(frames[2]) != 8:
                _log.warning("a replay request of %d frames is no replay request", len(frames))
                continue
            peer, first = frames[0], int.from_bytes(frames[2])
            wanted = [(number, payload) for number, payload in self._kept if number >= first]
            answers = [[self.topic.encode(), number.to_bytes(8), payload] for number, payload in wanted]
            for answer in [*answers, [b"", END_SEQUENCE, b""]]:
                with contextlib.suppress(TimeoutError, self._zmq.ZMQError):
                    await asyncio.wait_for(
                        self._replay.send_multipart([peer, b"", *answer]), _REPLAY_TIMEOUT_S
                    )


@asynccontextmanager
async def publishing(settings: SimSettings) -> AsyncIterator[KvPublisher | None]:
    """A publisher while the context lasts; None when the settings ask for none. Raises KvEventsError."""
    if settings.kv_events is None:
        yield None
        return
    publisher = KvPublisher(settings, settings.kv_events)
    try:
        publisher.open()
        yield publisher
    finally:
        await publisher.close()


def _pyzmq() -> Any:
    try:
        importlib.import_module("zmq.asyncio")
        return importlib.import_module("zmq")
    except ImportError:
        raise KvEventsError(
            "KV events need pyzmq, which is not installed: pip install 'pointsman[kv-events]'"
        ) from None


def _filled(topic: str, settings: SimSettings) -> str:
    return topic.replace("{name}", settings.name).replace("{model}", settings.model)
