"""A real Envoy that is not ours: the upstream tutorial's filter configuration."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from aiohttp import ClientPayloadError

from pointsman.core.verdict import Forward, HeaderEdits, Reply

pytestmark = pytest.mark.envoy

_MATH = Forward(
    "pool",
    body=b'{"model": "math"}',
    headers=HeaderEdits({"x-selected-model": "math"}),
    response_headers={"x-vsr-schema-version": "2"},
    success_headers={"x-vsr-selected-model": "math"},
)


class _Capitals:
    """Writes the answer in capitals; fails on its second piece if told to."""

    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails
        self._fed = 0

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        assert ":status" not in headers
        return HeaderEdits({"x-filtered": str(status)})

    async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port has it
        self._fed += 1
        if self._fails and self._fed > 1:
            raise ValueError("a defect")
        return data.upper()


_FILTERED = msgspec.structs.replace(_MATH, answer=_Capitals)
_FAILING = msgspec.structs.replace(_MATH, answer=lambda: _Capitals(fails=True))
_ANSWER_MODES = ["STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"]
_UNTOUCHED = Forward("pool", headers=HeaderEdits({"x-selected-model": "math"}))


def _seen(body: bytes) -> dict[str, str]:
    """The headers the upstream saw, by lower-case name."""
    return {name.lower(): value for name, value in json.loads(body)["headers"].items()}


def test_a_request_is_routed_by_the_decision(street: Any, fake_router: Any) -> None:
    """The new header chooses the route, the new body arrives whole, the answer says what was selected."""

    async def main() -> None:
        async with street(fake_router(_MATH)) as place:
            status, headers, body = await place.ask(b'{"model": "auto", "padding": true}')
            seen = _seen(body)
            assert (status, seen["x-route"], seen["x-selected-model"]) == (200, "chosen", "math")
            assert (place.upstream.bodies, seen["content-length"]) == ([_MATH.body], "17")
            assert (headers["x-vsr-schema-version"], headers["x-vsr-selected-model"]) == ("2", "math")
            assert "x-pointsman-pool" not in seen

    asyncio.run(main())


def test_an_untouched_body_arrives_byte_for_byte(street: Any, fake_router: Any) -> None:
    """Odd spacing, invalid UTF-8 and 300 kB pass as they came."""

    async def main() -> None:
        async with street(fake_router(_UNTOUCHED)) as place:
            sent = b'{ "model" :\t"math",\r\n"x":"' + bytes(range(256)) * 1200 + b'"}'
            status, _, body = await place.ask(sent)
            assert (status, _seen(body)["x-route"]) == (200, "chosen")
            assert place.upstream.bodies == [sent]

    asyncio.run(main())


def test_a_failing_upstream_says_nothing_of_the_selection(
    street: Any, fake_router: Any, upstream: Any
) -> None:
    """An error answer carries the contract's headers, not those of a success."""

    async def main() -> None:
        async with street(fake_router(_MATH), upstream(status=502)) as place:
            status, headers, _ = await place.ask()
            assert (status, headers["x-vsr-schema-version"]) == (502, "2")
            assert "x-vsr-selected-model" not in headers
            assert [status for _, status in place.bed.responses] == [502]

    asyncio.run(main())


def test_a_reply_answers_the_client(street: Any, fake_router: Any) -> None:
    """A refusal reaches the client in its own words and the upstream not at all."""

    async def main() -> None:
        reply = Reply(403, {"content-type": "application/json", "x-vsr-response-path": "error"}, b'{"no": 1}')
        async with street(fake_router(reply)) as place:
            status, headers, body = await place.ask()
            assert (status, headers["content-type"], body) == (403, "application/json", b'{"no": 1}')
            assert headers["x-vsr-response-path"] == "error"
            assert place.upstream.bodies == []

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/shop/cart"])
@pytest.mark.parametrize("body", [b"{}", None])
def test_forged_headers_choose_nothing(street: Any, fake_router: Any, path: str, body: bytes | None) -> None:
    """Internal headers sent by a client neither choose a route nor reach an upstream, on any path."""

    async def main() -> None:
        forged = {"x_selected_model": "forged", "x_gateway_destination_endpoint": "10.0.0.1:1"}
        async with street(fake_router(Forward(""))) as place:
            status, _, answer = await place.ask(body, path, **forged)
            seen = _seen(answer)
            assert (status, seen["x-route"]) == (200, "default")
            assert not {name.replace("_", "-") for name in forged} & set(seen)

    asyncio.run(main())


@pytest.mark.parametrize("allow_mode_override", [True, False])
def test_events_arrive_one_by_one(
    *, street: Any, fake_router: Any, upstream: Any, allow_mode_override: bool
) -> None:
    """Each event reaches the client before the next is sent, although the filter asks for buffered bodies."""

    async def main() -> None:
        engine = upstream(chunks=5)
        async with street(fake_router(_MATH), engine, allow_mode_override=allow_mode_override) as place:
            engine.go_on.release()  # some data planes hold headers until there is a first byte
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                assert answer.headers["x-vsr-selected-model"] == "math"
                for index in range(5):
                    assert await answer.content.readuntil(b"\n\n") == f"data: {index}\n\n".encode()
                    engine.go_on.release()
                assert await answer.content.read() == b""

    asyncio.run(main())


def test_a_dying_router_cuts_no_running_answer(street: Any, fake_router: Any, upstream: Any) -> None:
    """Once an answer has begun, the processor can go away and the client sees the rest."""

    async def main() -> None:
        engine = upstream(chunks=3)
        async with street(fake_router(_MATH), engine) as place:
            engine.go_on.release()
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                assert await answer.content.readuntil(b"\n\n") == b"data: 0\n\n"
                await place.bed.idle()  # the router parts with the response headers, a moment before this
                await place.bed.server.stop(0)
                engine.go_on.release()
                engine.go_on.release()
                assert await answer.content.read() == b"data: 1\n\ndata: 2\n\n"

    asyncio.run(main())


@pytest.mark.parametrize("verdict", [_MATH, _UNTOUCHED])
@pytest.mark.parametrize("mode", ["BUFFERED", "STREAMED", "FULL_DUPLEX_STREAMED"])
def test_every_body_mode_delivers_the_body(
    street: Any, fake_router: Any, mode: str, verdict: Forward
) -> None:
    """However the body comes, it leaves whole; the route follows wherever Envoy waits with the headers."""

    async def main() -> None:
        modes = {"request_body_mode": mode}
        if mode == "FULL_DUPLEX_STREAMED":
            modes["request_trailer_mode"] = "SEND"
        sent = b'{"model": "auto", "x": "' + b"y" * 200_000 + b'"}'
        async with street(fake_router(verdict), processing_mode=modes) as place:
            status, _, body = await place.ask(sent)
            assert status == 200
            assert place.upstream.bodies == [sent if verdict.body is None else verdict.body]
            if mode != "STREAMED":  # there the headers may have left before the decision
                assert _seen(body)["x-route"] == "chosen"

    asyncio.run(main())


def test_streams_end_with_their_requests(street: Any, fake_router: Any) -> None:
    """After any number of requests no ext_proc stream is left open and no decision in flight."""

    async def main() -> None:
        async with street(fake_router(_MATH)) as place:
            answers = await asyncio.gather(*(place.ask() for _ in range(20)))
            assert {status for status, _, _ in answers} == {200}
            await place.bed.idle()
            assert place.bed.errors == {}

    asyncio.run(main())


def test_a_duplex_response_is_delivered(street: Any, fake_router: Any, upstream: Any) -> None:
    """Where Envoy hands the response over for good, every event still reaches the client, one by one."""

    async def main() -> None:
        engine = upstream(chunks=3)
        modes = {"response_body_mode": "FULL_DUPLEX_STREAMED", "response_trailer_mode": "SEND"}
        async with street(fake_router(_MATH), engine, processing_mode=modes) as place:
            engine.go_on.release()
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                assert answer.headers["x-vsr-selected-model"] == "math"
                for index in range(3):
                    assert await answer.content.readuntil(b"\n\n") == f"data: {index}\n\n".encode()
                    engine.go_on.release()
                assert await answer.content.read() == b""
            await place.bed.idle()

    asyncio.run(main())


def test_a_client_that_leaves_frees_its_decision(street: Any, fake_router: Any) -> None:
    """When a client goes away, Envoy gives up the stream and the decision is cancelled, long before its deadline."""

    async def main() -> None:
        router = fake_router(gate=asyncio.Event())
        async with street(router, server={"decision_timeout_s": 600.0}) as place:
            asking = asyncio.create_task(place.ask())
            await place.bed.until(lambda: router.waiting == 1)
            asking.cancel()
            await place.bed.idle()
            assert (router.waiting, place.bed.errors) == (0, {"abandoned": 1})

    asyncio.run(main())


def _modes(response_body_mode: str) -> dict[str, str]:
    duplex = response_body_mode == "FULL_DUPLEX_STREAMED"
    trailers = {"response_trailer_mode": "SEND"} if duplex else {}
    return {"response_body_mode": response_body_mode, **trailers}


@pytest.mark.parametrize("mode", _ANSWER_MODES)
def test_an_answer_passes_its_filter_in_the_same_stream(street: Any, fake_router: Any, mode: str) -> None:
    """JSON is filtered whole in every mode that shows us the body, with the contract's headers beside it."""

    async def main() -> None:
        async with street(fake_router(_FILTERED), processing_mode=_modes(mode)) as place:
            status, headers, body = await place.ask()
            assert (status, headers["x-filtered"], headers["x-vsr-selected-model"]) == (200, "200", "math")
            assert b'"ACCEPT-ENCODING": "IDENTITY"' in body
            await place.bed.idle()
            assert place.bed.server.answers == 0

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["STREAMED", "FULL_DUPLEX_STREAMED"])
def test_a_stream_is_filtered_event_by_event(street: Any, fake_router: Any, upstream: Any, mode: str) -> None:
    """Every event leaves filtered before the next one comes."""

    async def main() -> None:
        engine = upstream(chunks=3)
        async with street(fake_router(_FILTERED), engine, processing_mode=_modes(mode)) as place:
            engine.go_on.release()
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                for index in range(3):
                    assert await answer.content.readuntil(b"\n\n") == f"DATA: {index}\n\n".encode()
                    engine.go_on.release()
                assert await answer.content.read() == b""

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["STREAMED", "FULL_DUPLEX_STREAMED"])
def test_a_filter_that_fails_lets_nothing_more_pass(
    street: Any, fake_router: Any, upstream: Any, mode: str
) -> None:
    """After the failure the client gets an error event and none of the engine's remaining bytes."""

    async def main() -> None:
        engine = upstream(chunks=5)
        async with street(fake_router(_FAILING), engine, processing_mode=_modes(mode)) as place:
            engine.go_on.release()
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                assert await answer.content.readuntil(b"\n\n") == b"DATA: 0\n\n"
                for _ in range(4):
                    engine.go_on.release()
                rest = [event for event in (await answer.content.read()).split(b"\n\n") if event]
            assert json.loads(rest[0].removeprefix(b"data: "))["error"]["code"] == 502
            assert rest[1:] == [b"data: [DONE]"]
            await place.bed.until(lambda: place.bed.server.answers == 0)

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["BUFFERED", "FULL_DUPLEX_STREAMED"])
def test_a_failure_before_the_first_byte_is_an_error_of_its_own(
    street: Any, fake_router: Any, mode: str
) -> None:
    """Where headers are still held, the client gets a 502 instead of the answer."""

    class Broken(_Capitals):
        async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port has them
            raise ValueError("a defect")

    async def main() -> None:
        router = fake_router(msgspec.structs.replace(_MATH, answer=Broken))
        async with street(router, processing_mode=_modes(mode)) as place:
            status, _, body = await place.ask()
            assert (status, json.loads(body)["error"]["type"]) == (502, "upstream_error")

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["NONE", "BUFFERED_PARTIAL"])
def test_a_data_plane_that_hides_the_answer_is_refused(street: Any, fake_router: Any, mode: str) -> None:
    """Rather than let an answer pass unseen, the request is a 503 that names the setting; nothing is sent."""

    async def main() -> None:
        async with street(fake_router(_FILTERED), processing_mode=_modes(mode)) as place:
            status, _, body = await place.ask()
            assert (status, "response_body_mode" in json.loads(body)["error"]["message"]) == (503, True)
            assert place.upstream.bodies == []

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["STREAMED", "FULL_DUPLEX_STREAMED"])
def test_a_dying_router_cuts_a_filtered_answer(
    street: Any, fake_router: Any, upstream: Any, mode: str
) -> None:
    """With the filter gone nothing more of the answer reaches the client."""

    async def main() -> None:
        engine = upstream(chunks=3)
        async with street(fake_router(_FILTERED), engine, processing_mode=_modes(mode)) as place:
            engine.go_on.release()
            async with place.session.post("/v1/chat/completions", data=b"{}") as answer:
                assert await answer.content.readuntil(b"\n\n") == b"DATA: 0\n\n"
                await place.bed.server.stop(0)
                engine.go_on.release()
                with pytest.raises(ClientPayloadError):
                    await answer.content.read()

    asyncio.run(main())
