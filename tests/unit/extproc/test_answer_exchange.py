"""The second conversation with our own Envoy, message by message."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.core import headers as names
from pointsman.core.request import Head
from pointsman.core.verdict import Forward, HeaderEdits
from pointsman.transports.extproc.answer_exchange import AnswerExchange
from pointsman.transports.extproc.events import ErrorKind, Events, Fate
from pointsman.transports.extproc.filtering import Bounds
from pointsman.transports.extproc.handover import Handover, Job
from pointsman.transports.wire import extproc_pb2 as pb

_MODE = pb.ProcessingMode


class _Capitals:
    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:  # noqa: ARG002  # the port
        return HeaderEdits({":status": "203"}, ("x-gone",))

    async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port
        return data.upper()


class _Bench:
    """A handover with one job, and an exchange over it."""

    def __init__(self) -> None:
        self.fates: list[Fate] = []
        self.errors: list[ErrorKind] = []
        self.handover = Handover(1)
        self.token = self.handover.offer(Job(Head("POST", "/v1/chat/completions", {}), _Capitals)) or ""
        events = Events(on_answer=self.fates.append, on_error=lambda kind, _: self.errors.append(kind))
        self.exchange = AnswerExchange(self.handover, bounds=Bounds(), events=events)

    def say(self, *messages: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        """All answers, in order."""

        async def feed() -> list[pb.ProcessingResponse]:
            answers: list[pb.ProcessingResponse] = []
            for message in messages:
                answers.extend(await self.exchange.feed(message.SerializeToString()))
            return answers

        return asyncio.run(feed())


def _pieces(answers: list[pb.ProcessingResponse]) -> list[tuple[bytes, bool]]:
    streamed = [answer.response_body.response.body_mutation.streamed_response for answer in answers]
    return [(piece.body, piece.end_of_stream) for piece in streamed]


def test_a_stream_comes_back_filtered(kit: Any) -> None:
    """Headers go with the first piece, edits and status included; the end ends the stream and frees the place."""
    bench = _Bench()
    claimed, headers, *pieces = bench.say(
        kit.say.headers((names.ANSWER, bench.token)),
        kit.say.response_headers(content_type="text/event-stream"),
        kit.say.response_body(b"one", end=False),
        kit.say.response_body(b"two"),
    )
    assert claimed.WhichOneof("response") == "request_headers"
    mutation = headers.response_headers.response.header_mutation
    assert {option.header.key: option.header.raw_value for option in mutation.set_headers} == {
        ":status": b"203"
    }
    assert list(mutation.remove_headers) == ["x-gone", "content-length"]
    assert _pieces(pieces) == [(b"ONE", False), (b"TWO", True)]
    bench.exchange.leave()
    assert (bench.exchange.answered, bench.handover.size, bench.fates) == (True, 0, [Fate.FILTERED])


def test_trailers_end_a_body_too(kit: Any) -> None:
    """What the filter still holds goes before the trailers, and the trailers are the end."""
    bench = _Bench()
    *_, body, trailers = bench.say(
        kit.say.headers((names.ANSWER, bench.token)),
        kit.say.response_headers(),
        kit.say.response_body(b"one", end=False),
        kit.say.response_trailers(),
    )
    assert _pieces([body]) == [(b"ONE", False)]
    assert trailers.WhichOneof("response") == "response_trailers"
    assert bench.exchange.done


def test_large_pieces_are_cut(kit: Any) -> None:
    """No message is larger than data planes take, and none is missing."""
    bench = _Bench()
    *_, headers, a, b, c = bench.say(
        kit.say.headers((names.ANSWER, bench.token)),
        kit.say.response_headers(),
        kit.say.response_body(b"x" * 150_000),
    )
    assert headers.HasField("response_headers")
    assert [(len(body), end) for body, end in _pieces([a, b, c])] == [
        (63488, False),
        (63488, False),
        (23024, True),
    ]


def test_an_unknown_token_is_refused(kit: Any) -> None:
    """The request stops there: a 503, counted, with nothing left to do."""
    bench = _Bench()
    (answer,) = bench.say(kit.say.headers((names.ANSWER, "stale")))
    assert answer.immediate_response.status.code == 503
    assert (bench.exchange.done, bench.fates) == (True, [Fate.UNCLAIMED])


@pytest.mark.parametrize("claimed", [True, False])
def test_messages_out_of_turn_break_the_stream(*, kit: Any, claimed: bool) -> None:
    """The stream ends badly, so that the data plane passes nothing on."""
    bench = _Bench()
    first = (kit.say.headers((names.ANSWER, bench.token)),) if claimed else ()
    bench.say(*first, kit.say.body() if claimed else kit.say.response_body())
    assert bench.exchange.violation
    assert (bench.exchange.done, bench.exchange.answered) == (True, False)
    assert bench.errors == [ErrorKind.PROTOCOL]


def test_noise_breaks_the_stream() -> None:
    """Bytes that are no message end it badly too."""
    bench = _Bench()
    assert asyncio.run(bench.exchange.feed(b"\xff\xff")) == ()
    assert bench.exchange.violation


def test_leaving_gives_the_place_back(kit: Any) -> None:
    """A client that leaves frees its place and is counted as having left."""
    bench = _Bench()
    bench.say(kit.say.headers((names.ANSWER, bench.token)), kit.say.response_headers())
    bench.exchange.leave()
    bench.exchange.leave()
    assert (bench.handover.size, bench.fates) == (0, [Fate.ABANDONED])


def test_a_managed_request_takes_its_token_along(kit: Any) -> None:
    """The decision's answer names the job, asks for plain bytes, and still ends the stream."""
    handover = Handover(1)
    exchange = kit.exchange(kit.router(Forward("p", answer=_Capitals)), managed=True, handover=handover)
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body())
    mutation = answer.request_body.response.header_mutation
    found = {option.header.key: option.header.raw_value.decode() for option in mutation.set_headers}
    assert found["accept-encoding"] == "identity"
    assert exchange.done
    assert handover.claim(found[names.ANSWER]) is not None


@pytest.mark.parametrize("managed", [True, False])
def test_no_place_is_a_503_ruled_once(*, kit: Any, witness: Any, managed: bool) -> None:
    """With every place taken the request is refused, and told to the observers as refused only."""
    handover = Handover(1)
    handover.enter()
    exchange = kit.exchange(
        kit.router(Forward("p", answer=_Capitals)), managed=managed, handover=handover, seen=witness
    )
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED, _MODE.STREAMED)
    *_, answer = kit.converse(exchange, first, kit.say.body())
    assert answer.immediate_response.status.code == 503
    (ruling,) = witness.rulings
    assert (ruling.verdict.status, "1 answers" in ruling.trace.error) == (503, True)
    assert witness.fates == [Fate.NO_ROOM]


@pytest.mark.parametrize("mode", [None, _MODE.NONE, _MODE.BUFFERED_PARTIAL])
def test_a_data_plane_that_hides_answers_is_refused(kit: Any, witness: Any, mode: int | None) -> None:
    """Also one too old to tell its modes: an answer that may pass unseen is not asked for."""
    exchange = kit.exchange(kit.router(Forward("p", answer=_Capitals)), seen=witness)
    first = kit.say.headers()
    first = first if mode is None else kit.say.with_modes(first, _MODE.BUFFERED, mode)
    *_, answer = kit.converse(exchange, first, kit.say.body())
    assert answer.immediate_response.status.code == 503
    assert b"response_body_mode" in answer.immediate_response.body
    assert witness.fates == [Fate.UNREADABLE]


def test_a_foreign_answer_is_filtered_in_its_own_stream(kit: Any, witness: Any) -> None:
    """A streamed body comes back in the same stream, which lives until its end and gives its place back."""
    handover = Handover(1)
    forward = Forward("p", answer=_Capitals, success_headers={"x-vsr-selected-model": "m"})
    exchange = kit.exchange(kit.router(forward), seen=witness, handover=handover)
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED, _MODE.STREAMED)
    answers = kit.converse(
        exchange,
        first,
        kit.say.body(),
        kit.say.response_headers(),
        kit.say.response_body(b"on", end=False),
        kit.say.response_body(b"e"),
    )
    headers, held, whole = answers[2:]
    keys = {option.header.key for option in headers.response_headers.response.header_mutation.set_headers}
    assert keys == {":status", "x-vsr-selected-model"}
    assert held.response_body.response.body_mutation.clear_body
    assert whole.response_body.response.body_mutation.body == b"ONE"
    assert exchange.done
    exchange.leave()
    assert (handover.size, witness.fates, witness.responses) == (0, [Fate.FILTERED], [("r-1", 200)])
