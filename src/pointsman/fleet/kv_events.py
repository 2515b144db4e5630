"""Subscribes to one engine's KV events over ZeroMQ: reconnects, asks for what it missed, else starts over."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

import msgspec

from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.fleet.kv_decode import BadEvents, Event, decode
from pointsman.fleet.kv_sequence import Sequence, Step

UNREADABLE: Final = "unreadable"
HIGH_WATER: Final = 10_000
"""Messages that may wait in our socket; what is dropped beyond shows as a gap."""
_POLL_S: Final = 5.0
_REPLAY_S: Final = 2.0
_MAX_REPLAYED: Final = 100_000
_END: Final = (-1).to_bytes(8, signed=True)
_RETRY_S: Final = 5.0

OnEvents = Callable[[str, int, Iterable[Event]], None]
"""Takes a replica's address, the rank and what it says."""
OnReset = Callable[[str, int], None]
"""What was told of a replica's rank holds no longer."""


class Source(msgspec.Struct, frozen=True):
    """One publishing engine process."""

    address: str
    """The replica, as the roster knows it."""
    rank: int
    events: str
    """ZeroMQ address of the publisher, such as ``tcp://10.0.0.7:5557``."""
    replay: str = ""
    """Where missed events are asked for; empty for nowhere."""
    topic: str = ""


class Tally(Counter[str]):
    """What a subscription met since it was last asked: messages, gaps, restarts, unreadable ones."""

    def take(self) -> dict[str, int]:
        """The counts, which begin anew."""
        counts = dict(self)
        self.clear()
        return counts


def pyzmq() -> ModuleType:
    """The binding. Raises ``ConfigError`` with the line that installs it."""
    try:
        import zmq.asyncio  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        message, remedy = "kvaware needs pyzmq", "pip install 'pointsman[kv-events]', or choose prefixaware"
        raise ConfigError([Problem(Severity.ERROR, "fleet.policy", message, remedy)]) from error
    return zmq


class KvSubscription:
    """Follows one source until cancelled. Events are handed on in their order, each once.

    Missed ones are asked for again; where that is not possible, ``on_reset`` comes before the next.
    """

    def __init__(self, source: Source, on_events: OnEvents, on_reset: OnReset) -> None:
        self.source = source
        self.tally = Tally()
        self._on_events = on_events
        self._on_reset = on_reset
        self._zmq: Any = pyzmq()
        self._sequence = Sequence()

    async def run(self) -> None:
        """Until cancelled; trouble with the socket is waited out."""
        while True:
            with contextlib.suppress(self._zmq.ZMQError, OSError):
                await self._follow()
            await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        zmq = self._zmq
        with zmq.asyncio.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.RCVHWM, HIGH_WATER)
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.SUBSCRIBE, self.source.topic.encode())
            socket.connect(self.source.events)
            # What it has said before we came: the subscription is open first, so that nothing falls between.
            await self._replay(context)
            while True:
                if not await socket.poll(int(1000 * _POLL_S)):
                    continue  # an idle engine says nothing
                frames = await socket.recv_multipart(flags=zmq.NOBLOCK)
                if len(frames) == 3 and len(frames[1]) == 8:
                    await self._hear(context, int.from_bytes(frames[1]), frames[2])
                else:
                    self.tally[UNREADABLE] += 1

    async def _hear(self, context: Any, number: int, payload: bytes) -> None:
        self.tally["messages"] += 1
        step = self._sequence.live(number)
        if step is Step.RESTART:
            self.tally["restarts"] += 1
            self._on_reset(self.source.address, self.source.rank)
            step = Step.APPLY if number == 0 else Step.GAP
            if number == 0:
                self._sequence.skip_to(1)
        if step is Step.GAP:
            self.tally["gaps"] += 1
            await self._replay(context)
            if self._sequence.expected > number:
                return  # the replay had it, too
            if self._sequence.expected < number:
                self._on_reset(self.source.address, self.source.rank)
            self._sequence.skip_to(number + 1)
            step = Step.APPLY
        if step is Step.APPLY:
            self._tell(payload)

    async def _replay(self, context: Any) -> None:
        """Ask for everything from the next expected on; no answer, or a partial one, leaves a gap."""
        if not self.source.replay:
            return
        zmq = self._zmq
        with context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVHWM, 0)  # a replay that drops messages is of no use; see the bound below
            socket.connect(self.source.replay)
            await socket.send_multipart([b"", self._sequence.expected.to_bytes(8)])
            with contextlib.suppress(TimeoutError):
                for _ in range(_MAX_REPLAYED):
                    async with asyncio.timeout(_REPLAY_S):
                        frames = await socket.recv_multipart()
                    if len(frames) < 3 or frames[-2] == _END:
                        return
                    self._replayed(int.from_bytes(frames[-2]), frames[-1])

    def _replayed(self, number: int, payload: bytes) -> None:
        step = self._sequence.replayed(number)
        if step is Step.GAP:
            # The publisher no longer has what is missing: what it still has is a new beginning.
            self._on_reset(self.source.address, self.source.rank)
            self._sequence.skip_to(number + 1)
            step = Step.APPLY
        if step is Step.APPLY:
            self._tell(payload)

    def _tell(self, payload: bytes) -> None:
        try:
            batch = decode(payload)
        except BadEvents:
            # What it said is lost, and so is what follows from it.
            self.tally[UNREADABLE] += 1
            self._on_reset(self.source.address, self.source.rank)
            return
        self._on_events(self.source.address, self.source.rank, batch.events)
