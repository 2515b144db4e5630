"""KV events over real sockets: what was said before, what was missed, and new processes."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pointsman.core.endpoint import Endpoint
from pointsman.fleet.kv_decode import MAX_PAYLOAD, AllBlocksCleared, BadEvents, BlockRemoved, decode
from pointsman.fleet.kv_events import KvSubscription, Source
from pointsman.fleet.kv_watch import KvWatch, sources_at
from pointsman.fleet.roster import Roster

zmq = pytest.importorskip("zmq.asyncio") and pytest.importorskip("zmq")
END = (-1).to_bytes(8, signed=True)


def payload(number: int) -> bytes:
    return msgspec.msgpack.encode([0.0, [{"type": "BlockRemoved", "block_hashes": [number]}], 0])


class Publisher:
    """An engine's sockets: publishes what it is told to, replays what it kept."""

    def __init__(self, context: Any, *, port: int = 0, replay: int = 0) -> None:
        self.kept: list[int] = []
        self.pub, self.router = context.socket(zmq.PUB), context.socket(zmq.ROUTER)
        self.ports = []
        for socket, wanted in ((self.pub, port), (self.router, replay)):
            socket.setsockopt(zmq.LINGER, 0)
            if wanted:
                socket.bind(f"tcp://127.0.0.1:{wanted}")
            self.ports.append(wanted or socket.bind_to_random_port("tcp://127.0.0.1"))
        self.task = asyncio.create_task(self._answer())

    async def say(self, number: int, *, lost: bool = False, kept: bool = True, body: bytes = b"") -> None:
        if kept:
            self.kept.append(number)
        if not lost:
            await self.pub.send_multipart([b"kv", number.to_bytes(8), body or payload(number)])

    async def close(self) -> None:
        self.task.cancel()
        self.pub.close()
        self.router.close()

    async def _answer(self) -> None:
        while True:
            peer, _, first = await self.router.recv_multipart()
            for number in [each for each in self.kept if each >= int.from_bytes(first)]:
                await self.router.send_multipart([peer, b"", b"kv", number.to_bytes(8), payload(number)])
            await self.router.send_multipart([peer, b"", b"", END, b""])


class Heard:
    """What a subscription handed on: numbers, and ``None`` for a reset."""

    def __init__(self) -> None:
        self.all: list[int | None] = []

    def events(self, _: str, __: int, events: Any) -> None:
        self.all += [event.hashes[0] for event in events if isinstance(event, BlockRemoved)]

    def reset(self, _: str, __: int) -> None:
        self.all.append(None)


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  # sockets of another library
            await asyncio.sleep(0.01)


async def following(publisher: Publisher, heard: Heard) -> tuple[KvSubscription, "asyncio.Task[None]"]:
    """A subscription that is known to hear what is published."""
    events, replay = (f"tcp://127.0.0.1:{port}" for port in publisher.ports)
    subscription = KvSubscription(Source("a", 0, events, replay), heard.events, heard.reset)
    task = asyncio.create_task(subscription.run())
    while not subscription.tally["messages"]:
        await publisher.say(len(publisher.kept))
        await asyncio.sleep(0.05)
    return subscription, task


def test_what_was_said_before_and_what_was_missed_is_asked_for() -> None:
    """Every event arrives once and in order, whether it was published before us, to us, or lost on the way."""

    async def main() -> None:
        with zmq.asyncio.Context() as context:
            publisher, heard = Publisher(context), Heard()
            for number in range(3):
                await publisher.say(number, lost=True)
            subscription, task = await following(publisher, heard)
            first = len(publisher.kept)
            await publisher.say(first, lost=True)
            await publisher.say(first + 1, lost=True)
            await publisher.say(first + 2)
            await until(lambda: first + 2 in heard.all)
            assert heard.all == list(range(first + 3))
            assert subscription.tally["gaps"] >= 1
            task.cancel()
            await publisher.close()

    asyncio.run(main())


def test_what_nobody_kept_starts_the_index_over() -> None:
    """Events that cannot be had again are followed by a reset before the next one counts."""

    async def main() -> None:
        with zmq.asyncio.Context() as context:
            publisher, heard = Publisher(context), Heard()
            _, task = await following(publisher, heard)
            first = len(publisher.kept)
            publisher.kept.clear()
            await publisher.say(first + 5, kept=False)
            await until(lambda: first + 5 in heard.all)
            assert heard.all[-2:] == [None, first + 5]
            task.cancel()
            await publisher.close()

    asyncio.run(main())


def test_a_new_process_starts_the_index_over() -> None:
    """Numbers that begin again mean another process, whose cache was empty."""

    async def main() -> None:
        with zmq.asyncio.Context() as context:
            publisher, heard = Publisher(context), Heard()
            subscription, task = await following(publisher, heard)
            publisher.kept.clear()
            await publisher.say(0)
            await until(lambda: subscription.tally["restarts"] == 1)
            await publisher.say(1)
            await until(lambda: heard.all[-1] == 1)
            assert heard.all[-3:] == [None, 0, 1]
            task.cancel()
            await publisher.close()

    asyncio.run(main())


def test_unreadable_events_start_the_index_over() -> None:
    """A payload that cannot be read is counted, and what was known is known no longer."""

    async def main() -> None:
        with zmq.asyncio.Context() as context:
            publisher, heard = Publisher(context), Heard()
            subscription, task = await following(publisher, heard)
            await publisher.say(len(publisher.kept), body=b"\xc1")
            await until(lambda: subscription.tally["unreadable"] == 1)
            assert heard.all[-1] is None
            task.cancel()
            await publisher.close()

    asyncio.run(main())


def test_subscriptions_follow_the_roster() -> None:
    """One for each rank of each endpoint; those of an endpoint that leaves end, and its cache is forgotten."""

    async def main() -> None:
        heard = Heard()
        roster = Roster([Endpoint("127.0.0.1:1", "m"), Endpoint("127.0.0.1:2", "m")])
        sources = sources_at(port=5557, replay_port=0, topic="", ranks=2)
        watch = KvWatch(roster, sources, heard.events, heard.reset)
        task = asyncio.create_task(watch.run())
        await until(lambda: len(watch.tallies) == 4)
        roster.replace([Endpoint("127.0.0.1:2", "m")])
        await until(lambda: len(watch.tallies) == 2)
        assert heard.all == [None, None]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not watch.tallies

    asyncio.run(main())


def test_labels_name_other_ports() -> None:
    """Replicas that share a host tell theirs in labels; what is no port there is left out."""
    sources = sources_at(port=5557, replay_port=5558, topic="kv", ranks=1)
    labelled = Endpoint("10.0.0.1:80", "m", labels={"kv-events-port": "7000", "kv-replay-port": "seven"})
    [source] = sources(labelled)
    assert source == Source("10.0.0.1:80", 0, "tcp://10.0.0.1:7000", "tcp://10.0.0.1:5558", "kv")
    [source] = sources(Endpoint("[::1]:80", "m"))
    assert source.events == "tcp://[::1]:5557"


@pytest.mark.parametrize(
    "batch",
    [
        7,
        [1.0],
        [1.0, 5],
        [1.0, [7]],
        [1.0, [["BlockStored", [1], None, [1, 2], 16]]],
        [1.0, [["BlockStored", ["x"], None, [1], 1]]],
        [1.0, [["BlockStored", [1], None, ["a"], 1]]],
        [1.0, [{"type": "BlockStored", "block_hashes": 3}]],
        [1.0, [{"type": "BlockRemoved"}]],
    ],
)
def test_what_is_no_batch_is_refused(batch: object) -> None:
    """Payloads that promise blocks and do not describe them are errors, not guesses."""
    with pytest.raises(BadEvents):
        decode(msgspec.msgpack.encode(batch))


def test_payloads_are_bounded_and_unknown_events_pass() -> None:
    """More bytes than the bound are not read; events of later releases are left out."""
    with pytest.raises(BadEvents):
        decode(bytes(MAX_PAYLOAD + 1))
    batch = [1.0, [{"type": "Later", "x": 1}, ["Later", 2], ["AllBlocksCleared"]], None]
    assert decode(msgspec.msgpack.encode(batch)).events == (AllBlocksCleared(),)
