"""KV events over ZeroMQ, read as a router reads them."""

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio
from sim_lab import PATIENCE_S, Client, chat, drive

from pointsman.sim import KvEventsError, KvEventsSettings, RunningSim, SimSettings, replicas
from pointsman.sim.kv_events import AllBlocksCleared, BlockRemoved, BlockStored, encode
from pointsman.sim.kv_publisher import KvPublisher

CHAT = "/v1/chat/completions"
LONG = "word " * 40
ANY = KvEventsSettings(
    endpoint="tcp://127.0.0.1:*", replay_endpoint="tcp://127.0.0.1:*", topic="kv@{name}@{model}"
)


@dataclass(frozen=True)
class Batch:
    """A received batch."""

    topic: bytes
    sequence: int
    at: float
    events: list[Any]
    rank: int


def _batch(topic: bytes, sequence: bytes, payload: bytes) -> Batch:
    return Batch(topic, int.from_bytes(sequence), *msgspec.msgpack.decode(payload))


class Listener:
    """A subscriber, and its replay client."""

    def __init__(self, context: zmq.asyncio.Context, endpoint: str, replay: str) -> None:
        self._sub = context.socket(zmq.SUB)
        self._sub.subscribe(b"kv@")
        self._sub.connect(endpoint)
        self._dealer = context.socket(zmq.DEALER)
        self._dealer.connect(replay)
        for socket in (self._sub, self._dealer):
            socket.setsockopt(zmq.RCVTIMEO, PATIENCE_S * 1000)

    async def next(self) -> Batch:
        return _batch(*await self._sub.recv_multipart())

    async def replay(self, first: int) -> list[Batch]:
        await self._dealer.send_multipart([b"", first.to_bytes(8)])
        found = []
        while True:
            empty, topic, sequence, payload = await self._dealer.recv_multipart()
            assert empty == b""
            if sequence == b"\xff" * 8:
                assert (topic, payload) == (b"", b"")
                return found
            found.append(_batch(topic, sequence, payload))

    def close(self) -> None:
        self._sub.close(0)
        self._dealer.close(0)


@asynccontextmanager
async def _listening(sim: RunningSim, http: Client) -> AsyncIterator[Listener]:
    """A listener that is connected for certain: PUB drops what it sends before."""
    sources = (await http.get("/kv_event_sources")).json()
    source = sources[str(sim.sim.settings.dp_rank)]
    context = zmq.asyncio.Context()
    listener = Listener(context, source["endpoint"], source["replay_endpoint"])
    seen = 0
    while not await listener._sub.poll(50):
        seen += 1
        assert seen < PATIENCE_S * 20
        await http.post(CHAT, chat(f"{seen} {LONG}", max_tokens=1))
    while await listener._sub.poll(50):
        await listener.next()
    try:
        yield listener
    finally:
        listener.close()
        context.term()


def _watched(use: Callable[[RunningSim, Client, Listener], Any], **settings: Any) -> Any:
    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with _listening(sim, http) as listener:
            return await use(sim, http, listener)

    return drive(scenario, **({"kv_events": ANY} | settings))


def test_a_prompt_is_announced_in_blocks_of_its_tokens() -> None:
    """A request gives a numbered batch of BlockStored whose tokens are those /tokenize gives."""

    async def use(_sim: RunningSim, http: Client, listener: Listener) -> Any:
        body = chat(LONG, max_tokens=1)
        tokens = (await http.post("/tokenize", body)).json()["tokens"]
        await http.post(CHAT, body)
        return tokens, await listener.next()

    tokens, batch = _watched(use, name="left")
    (event,) = batch.events
    assert (batch.topic, batch.rank) == (b"kv@left@tiny", 0)
    assert (event["type"], event["block_size"], event["medium"]) == ("BlockStored", 16, "GPU")
    full = len(tokens) // 16 * 16
    assert event["token_ids"] == tokens[: len(event["token_ids"])] == tokens[:full]
    assert len(event["block_hashes"]) == full // 16
    assert event["parent_block_hash"] is None


def test_sequence_numbers_count_up() -> None:
    """Each batch has the number after that of the one before."""

    async def use(_sim: RunningSim, http: Client, listener: Listener) -> Any:
        for text in ("one ", "two ", "three "):
            await http.post(CHAT, chat(text * 40, max_tokens=1))
        return [(await listener.next()).sequence for _ in range(3)]

    first, second, third = _watched(use)
    assert (second, third) == (first + 1, first + 2)


def test_lost_batches_can_be_had_again() -> None:
    """Batches lost on the way leave a gap in the numbers; replay gives them, and ends with number -1."""

    async def use(sim: RunningSim, http: Client, listener: Listener) -> Any:
        before = sim.sim.publisher.sequence if sim.sim.publisher else 0
        assert (await http.post("/sim/kv_events", {"drop": 2})).json() == {"drop": 2}
        for text in ("one ", "two ", "three "):
            await http.post(CHAT, chat(text * 40, max_tokens=1))
        heard = await listener.next()
        return before, heard, await listener.replay(before)

    before, heard, again = _watched(use)
    assert heard.sequence == before + 2
    assert [batch.sequence for batch in again] == [before, before + 1, before + 2]
    assert again[2] == heard
    assert all(batch.topic == heard.topic for batch in again)


def test_replay_is_bounded() -> None:
    """Only the last `buffer_steps` batches can be had again."""
    few = KvEventsSettings(
        endpoint=ANY.endpoint, replay_endpoint=ANY.replay_endpoint, topic="kv@", buffer_steps=2
    )

    async def use(sim: RunningSim, http: Client, listener: Listener) -> Any:
        for number in range(5):
            await http.post(CHAT, chat(f"{number} {LONG}", max_tokens=1))
        again = await listener.replay(0)
        return sim.sim.publisher.sequence if sim.sim.publisher else 0, [batch.sequence for batch in again]

    following, again = _watched(use, kv_events=few)
    assert again == [following - 2, following - 1]


def test_a_replay_request_that_is_none_does_no_harm() -> None:
    """Frames of the wrong shape are ignored, and the next request is answered."""

    async def use(_sim: RunningSim, _http: Client, listener: Listener) -> Any:
        for frames in ([b"x"], [b"", b"short"], [b"", b"12345678", b"more"]):
            await listener._dealer.send_multipart(frames)
        return await listener.replay(0)

    assert len(_watched(use)) >= 1


def test_evictions_and_answers_are_announced() -> None:
    """A full cache announces what it drops, and blocks of generated tokens hang on those of the prompt."""

    async def use(_sim: RunningSim, http: Client, listener: Listener) -> Any:
        await http.post(CHAT, chat("other " * 40))
        return [event for _ in range(2) for event in (await listener.next()).events]

    events = _watched(use, kv_blocks=6, answer_tokens=40)
    assert "BlockRemoved" in [event["type"] for event in events]
    prompt, answer = [event for event in events if event["type"] == "BlockStored"]
    assert answer["parent_block_hash"] == prompt["block_hashes"][-1]


def test_a_reset_is_announced_at_the_next_step() -> None:
    """AllBlocksCleared comes with the next request's batch, as vLLM sends it."""

    async def use(sim: RunningSim, http: Client, listener: Listener) -> Any:
        before = sim.sim.publisher.sequence if sim.sim.publisher else 0
        status = (await http.post("/reset_prefix_cache", b"")).status
        assert sim.sim.publisher is not None
        assert sim.sim.publisher.sequence == before
        await http.post(CHAT, chat(LONG, max_tokens=1))
        return status, [event["type"] for event in (await listener.next()).events]

    assert _watched(use) == (200, ["AllBlocksCleared", "BlockStored"])


def test_the_array_encoding_is_that_of_older_engines() -> None:
    """With `array` an event is a list that begins with its type and keeps vLLM's order of fields."""

    async def use(_sim: RunningSim, http: Client, listener: Listener) -> Any:
        await http.post(CHAT, chat(LONG, max_tokens=1, model="sql"))
        return (await listener.next()).events[0]

    older = KvEventsSettings(
        endpoint=ANY.endpoint, replay_endpoint=ANY.replay_endpoint, topic="kv@", encoding="array"
    )
    event = _watched(use, kv_events=older, loras=("sql",), dp_rank=0)
    tag, hashes, parent, token_ids, block_size, lora_id, medium, lora_name, extra_keys, group, _ = event
    assert (tag, parent, block_size, lora_id, medium, lora_name, group) == (
        "BlockStored",
        None,
        16,
        1,
        "GPU",
        "sql",
        0,
    )
    assert len(token_ids) == 16 * len(hashes)
    assert extra_keys == [["sql"]] * len(hashes)


def test_both_encodings_of_all_events() -> None:
    """Every kind of event is a map with its type or a list that begins with it."""
    events = [
        BlockStored([1], None, [7] * 16, 16, None, "GPU", None, [None]),
        BlockRemoved([1], "GPU"),
        AllBlocksCleared(),
    ]
    kinds = ["BlockStored", "BlockRemoved", "AllBlocksCleared"]
    at, maps, rank = msgspec.msgpack.decode(encode(events, at=1.5, dp_rank=3, encoding="map"))
    assert (at, rank, [event["type"] for event in maps]) == (1.5, 3, kinds)
    _, arrays, _ = msgspec.msgpack.decode(encode(events, at=1.5, dp_rank=3, encoding="array"))
    assert [event[0] for event in arrays] == kinds
    assert arrays[1:] == [["BlockRemoved", [1], "GPU", 0], ["AllBlocksCleared"]]


def test_the_rank_is_in_batches_and_metrics() -> None:
    """A data-parallel rank marks its batches, its metrics and its source."""

    async def use(_sim: RunningSim, http: Client, listener: Listener) -> Any:
        await http.post(CHAT, chat(LONG, max_tokens=1))
        return (await listener.next()).rank, (await http.get("/metrics")).text

    rank, page = _watched(use, dp_rank=2)
    assert rank == 2
    assert 'vllm:num_requests_running{engine="2",model_name="tiny"}' in page


def test_an_engine_connects_where_a_router_binds() -> None:
    """Without a wildcard the engine dials the endpoint: the router listens, many engines call."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        assert sim.sim.publisher is not None
        number = 0
        while not await sub.poll(50):
            number += 1
            await http.post(CHAT, chat(f"{number} {LONG}"))
        return _batch(*await sub.recv_multipart())

    context = zmq.asyncio.Context()
    sub = context.socket(zmq.SUB)
    sub.subscribe(b"")
    port = sub.bind_to_random_port("tcp://127.0.0.1")
    try:
        batch = drive(scenario, kv_events=KvEventsSettings(endpoint=f"tcp://127.0.0.1:{port}", topic="mine"))
    finally:
        sub.close(0)
        context.term()
    assert batch.topic == b"mine"


def test_ranks_and_replicas_have_ports_of_their_own() -> None:
    """A bound port goes up by 2 a replica; one that is dialled, or chosen by the system, stays."""
    pair = KvEventsSettings(endpoint="tcp://*:5557", replay_endpoint="tcp://*:5558")
    dialled = KvEventsSettings(endpoint="tcp://router:5557")
    left, right = replicas(SimSettings(model="tiny", port=9000, kv_events=pair), 2)
    assert left.kv_events == pair
    assert right.kv_events == KvEventsSettings(endpoint="tcp://*:5559", replay_endpoint="tcp://*:5560")
    assert dialled.shifted(2) == dialled
    assert ANY.shifted(2) == ANY


def test_a_taken_endpoint_is_explained() -> None:
    """An endpoint that cannot be bound gives an error that names it."""
    context = zmq.Context()
    taken = context.socket(zmq.PUB)
    port = taken.bind_to_random_port("tcp://127.0.0.1")

    async def scenario(_sim: RunningSim, _http: Client) -> None:
        raise AssertionError("it started")

    try:
        busy = KvEventsSettings(endpoint="tcp://*:0", replay_endpoint=f"tcp://127.0.0.1:{port}")
        with pytest.raises(KvEventsError, match=str(port)):
            drive(scenario, kv_events=busy)
    finally:
        taken.close(0)
        context.term()


def test_without_pyzmq_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing the error holds the line for pip."""

    def missing(name: str, *_: Any) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(KvEventsError, match=r"pip install 'pointsman\[kv-events\]'"):
        KvPublisher(SimSettings(model="tiny"), ANY)


def test_an_engine_without_events_needs_no_pyzmq() -> None:
    """/kv_event_sources is empty then, and losing batches is refused with an explanation."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        refused = await http.post("/sim/kv_events", {"drop": 1})
        return (await http.get("/kv_event_sources")).json(), refused.status, refused.error["message"]

    sources, status, message = drive(scenario)
    assert (sources, status) == ({}, 400)
    assert "--kv-events" in message
