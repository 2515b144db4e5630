"""Answers that a filter must see, through the real Envoy and our own server."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from envoy_lab import eventually
from routed_lab import RoutedLab

from pointsman.core.errors import HttpError
from pointsman.core.verdict import Forward, HeaderEdits
from pointsman.transports.envoy.plan import Limits
from pointsman.transports.extproc.filtering import Bounds

pytestmark = pytest.mark.envoy

STREAM = {"stream": True, "chunks": 200, "pause_s": 0.02}


class Capitals:
    """Writes everything in capitals; fails on the piece ``fail_on`` (0: at the headers) with ``failure``."""

    def __init__(self, fail_on: int = -1, failure: Exception | None = None, slow_s: float = 0) -> None:
        self.fed = 0
        self._fail_on = fail_on
        self._failure = failure or ValueError("a defect")
        self._slow_s = slow_s

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        assert ":status" not in headers
        self._fail_if(0)
        return HeaderEdits({"x-seen": str(status)}, ("server",))

    async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port has it
        self.fed += 1
        self._fail_if(self.fed)
        await asyncio.sleep(self._slow_s)
        return data.upper()

    def _fail_if(self, turn: int) -> None:
        if turn == self._fail_on:
            raise self._failure


def _forward(**behaviour: Any) -> Forward:
    return Forward(
        "main",
        answer=lambda: Capitals(**behaviour),
        response_headers={"x-vsr-response-path": "upstream"},
        success_headers={"x-vsr-selected-model": "m"},
    )


async def _rest(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """What still came, and whether the answer was cut off."""
    seen = b""
    try:
        async for piece in response.content.iter_any():
            seen += piece
    except aiohttp.ClientPayloadError:
        return seen, True
    return seen, False


def test_json_and_streams_pass_their_filter() -> None:
    """Body, headers, engine errors and Envoy's own errors are filtered; the engine is asked for plain bytes."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:
            status, answer, headers = await lab.ask()
            assert (status, answer) == (200, {"BACKEND": "B0"})
            assert (headers["x-seen"], headers["x-vsr-selected-model"]) == ("200", "m")
            seen = {name.lower(): value for name, value in lab.backends[0].seen[-1]["headers"].items()}
            assert seen["accept-encoding"] == "identity"
            assert not {"x-pointsman-answer", "x-pointsman-pool"} & set(seen)
            async with lab.open({"stream": True, "chunks": 3, "pause_s": 0}) as response:
                assert await response.read() == b"DATA: 0\n\nDATA: 1\n\nDATA: 2\n\nDATA: [DONE]\n\n"
            lab.backends[0].status = 422
            assert (await lab.ask())[:2] == (422, "ENGINE SAYS NO")
            await lab.backends[0].stop()
            async with lab.open() as response:
                assert (response.status, b"SERVICE_UNAVAILABLE" in await response.read()) == (503, True)
            await eventually(lambda: lab.server.answers == 0, "every place is given back")
            assert (lab.fates, lab.errors) == ({"filtered": 4}, {})

    asyncio.run(body())


def test_each_event_leaves_before_the_next_comes() -> None:
    """A filtered stream is as immediate as one that is not."""

    async def body() -> None:
        lab = RoutedLab(_forward())
        async with lab, lab.open({"stream": True, "chunks": 1, "pause_s": 3600}) as response:
            assert await response.content.readuntil(b"\n\n") == b"DATA: 0\n\n"

    asyncio.run(body())


def test_requests_without_filters_open_no_second_stream() -> None:
    """Without answer work the router is asked once and gone when the answer runs."""

    async def body() -> None:
        lab = RoutedLab(Forward("main"))
        async with lab, lab.open(STREAM) as response:
            await response.content.readline()
            await eventually(lambda: lab.server.streams == 0, "no stream is open")
            assert lab.fates == {}

    asyncio.run(body())


@pytest.mark.parametrize("script", [{}, STREAM])
@pytest.mark.parametrize("turn", [0, 1])
def test_a_filter_that_fails_before_the_first_byte_makes_an_error(script: Any, turn: int) -> None:
    """The client gets a 502 in OpenAI's shape and nothing of the answer."""

    async def body() -> None:
        async with RoutedLab(_forward(fail_on=turn)) as lab:
            status, answer, headers = await lab.ask(script)
            assert (status, answer["error"]["type"]) == (502, "upstream_error")
            assert headers["x-vsr-response-path"] == "error"
            assert "x-seen" not in headers
            await eventually(lambda: lab.server.answers == 0, "the place is given back")
            assert (lab.fates, lab.errors) == ({"failed": 1}, {"defect": 1})

    asyncio.run(body())


def test_a_filter_may_refuse_with_a_status_of_its_own() -> None:
    """An ``HttpError`` is the filter's word to the client, not a defect."""

    class Refused(HttpError):
        status = 451
        type = "content_policy_violation"

    async def body() -> None:
        async with RoutedLab(_forward(fail_on=1, failure=Refused("not this"))) as lab:
            status, answer, _ = await lab.ask()
            assert (status, answer["error"]["message"]) == (451, "not this")
            assert (lab.fates, lab.errors) == ({"refused": 1}, {})

    asyncio.run(body())


def test_a_filter_that_fails_halfway_ends_the_stream_with_an_error() -> None:
    """What was filtered stays, an error event follows, then the end; the engine is let go."""

    async def body() -> None:
        async with RoutedLab(_forward(fail_on=3)) as lab:
            async with lab.open(STREAM) as response:
                text, cut = await _rest(response)
            *before, error, done = [event for event in text.split(b"\n\n") if event]
            assert before == [b"DATA: 0", b"DATA: 1"]
            assert json.loads(error.removeprefix(b"data: "))["error"]["code"] == 502
            assert (done, cut) == (b"data: [DONE]", False)
            await eventually(lambda: lab.server.streams == 0, "the answer's stream is over")

    asyncio.run(body())


def test_a_slow_filter_is_given_up() -> None:
    """Work over its time ends in an error, with the raw answer swallowed."""

    async def body() -> None:
        server = {"answer": Bounds(timeout_s=0.2)}
        async with RoutedLab(_forward(slow_s=3600), server=server) as lab:
            for script in ({}, STREAM):
                status, answer, _ = await lab.ask(script)
                assert (status, answer["error"]["code"]) == (502, 502)
            assert lab.fates == {"timeout": 2}

    asyncio.run(body())


def test_a_slow_filter_within_its_time_is_waited_for() -> None:
    """Envoy's own message timeout does not end a filter that our bounds allow."""

    async def body() -> None:
        limits = Limits(answer_timeout_s=0.3)
        async with RoutedLab(_forward(slow_s=1.0), limits=limits) as lab:
            assert (await lab.ask())[:2] == (200, {"BACKEND": "B0"})

    asyncio.run(body())


def test_an_answer_over_the_bound_is_502() -> None:
    """A JSON answer that would have to be held whole and is too large becomes an honest error."""

    async def body() -> None:
        async with RoutedLab(_forward(), server={"answer": Bounds(max_bytes=10)}) as lab:
            status, answer, _ = await lab.ask()
            assert (status, "10 bytes" in answer["error"]["message"]) == (502, True)
            assert lab.fates == {"too_large": 1}

    asyncio.run(body())


def test_a_router_that_dies_lets_nothing_pass() -> None:
    """The stream is cut, and no byte that was not filtered is in it; a new router serves the next request."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:
            async with lab.open(STREAM) as response:
                assert await response.content.readuntil(b"\n\n") == b"DATA: 0\n\n"
                await lab.server.stop(0)
                text, cut = await _rest(response)
            assert (cut, b"data" in text) == (True, False)
            assert (await lab.ask())[0] == 503
            await lab.start_decider()
            await eventually(lambda: not lab.server.streams, "idle")
            for _ in range(100):
                status, answer, _ = await lab.ask()
                if status == 200:
                    break
                await asyncio.sleep(0.05)
            assert answer == {"BACKEND": "B0"}

    asyncio.run(body())


def test_work_that_nobody_knows_stops_the_request() -> None:
    """A router that was replaced between decision and answer refuses; the engine is not asked."""

    async def body() -> None:
        async with RoutedLab(Forward("main", headers=HeaderEdits({"x-pointsman-answer": "stale"}))) as lab:
            status, answer, headers = await lab.ask()
            assert (status, answer["error"]["type"]) == (503, "service_unavailable")
            assert headers["retry-after"] == "1"
            assert (lab.backends[0].seen, lab.fates) == ([], {"unclaimed": 1})

    asyncio.run(body())


def test_a_client_cannot_ask_for_a_filter() -> None:
    """A client's own token neither reaches the router nor changes the route."""

    async def body() -> None:
        async with RoutedLab(Forward("main")) as lab:
            status, answer, _ = await lab.ask(headers={"X-Pointsman-Answer": "forged"})
            assert (status, answer, lab.fates) == (200, {"backend": "b0"}, {})

    asyncio.run(body())


def test_requests_beyond_the_bound_are_refused_before_they_are_sent() -> None:
    """With every place taken the next request is a 503 and its engine never hears of it."""

    async def body() -> None:
        lab = RoutedLab(_forward(), server={"max_answers": 1})
        async with lab, lab.open(STREAM) as response:
            await response.content.readline()
            status, answer, headers = await lab.ask()
            assert (status, answer["error"]["type"]) == (503, "service_unavailable")
            assert headers["retry-after"] == "1"
            assert (len(lab.backends[0].seen), lab.fates) == (1, {"no_room": 1})

    asyncio.run(body())


def test_a_client_that_leaves_takes_its_filter_along() -> None:
    """The place is free again long before the engine is done."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:
            async with lab.open({"stream": True, "chunks": 9, "pause_s": 3600}) as response:
                await response.content.readline()
                assert lab.server.answers == 1
                response.close()
            await eventually(lambda: lab.server.answers == 0, "the place is given back")
            assert lab.fates == {"abandoned": 1}

    asyncio.run(body())


def test_an_engine_that_breaks_off_halfway_is_no_complete_answer() -> None:
    """The client sees the stream cut, as it would without a filter."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:
            async with lab.open(STREAM) as response:
                await response.content.readline()
                lab.backends[0].cut()
                text, cut = await _rest(response)
            assert (cut, b"DONE" in text) == (True, False)
            await eventually(lambda: lab.server.answers == 0, "the place is given back")
            assert lab.fates == {"abandoned": 1}

    asyncio.run(body())


def test_fifty_at_once_do_not_mix() -> None:
    """Streams and JSON, filtered all at the same time, arrive whole, each through a filter of its own."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:

            async def stream() -> bytes:
                async with lab.open({"stream": True, "chunks": 20, "pause_s": 0.005}) as response:
                    return await response.read()

            texts = await asyncio.gather(*(stream() for _ in range(50)))
            wanted = "".join(f"DATA: {number}\n\n" for number in (*range(20), "[DONE]")).encode()
            assert set(texts) == {wanted}
            answers = await asyncio.gather(*(lab.ask() for _ in range(50)))
            assert all(answer == {"BACKEND": "B0"} for _, answer, _ in answers)
            await eventually(lambda: lab.server.answers == 0, "every place is given back")
            assert lab.fates == {"filtered": 100}

    asyncio.run(body())


def test_a_big_stream_passes_whole() -> None:
    """Megabytes in pieces of any size come out as many bytes as went in, over a client that reads slowly."""

    async def body() -> None:
        async with RoutedLab(_forward()) as lab:
            lab.backends[0].filler = b"data: " + b"x" * 99_992 + b"\n\n"
            async with lab.open({"stream": True, "chunks": 80, "pause_s": 0}) as response:
                await asyncio.sleep(0.5)
                text, cut = await _rest(response)
            assert (len(text), cut) == (80 * 100_000 + len(b"data: [DONE]\n\n"), False)
            assert b"x" not in text

    asyncio.run(body())
