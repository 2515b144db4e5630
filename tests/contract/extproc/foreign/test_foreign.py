"""A real Envoy that is not ours: the upstream tutorial's filter configuration."""

import asyncio
import json
from typing import Any

import pytest

from pointsman.core.verdict import Forward, HeaderEdits, Reply

pytestmark = pytest.mark.envoy

_MATH = Forward(
    "pool",
    body=b'{"model": "math"}',
    headers=HeaderEdits({"x-selected-model": "math"}),
    response_headers={"x-vsr-schema-version": "2"},
    success_headers={"x-vsr-selected-model": "math"},
)
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
