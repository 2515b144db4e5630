"""The conversation about one request, when all is well."""

from typing import Any

import pytest

from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.transports.wire import extproc_pb2 as pb

_MODE = pb.ProcessingMode
_FORWARD = Forward(
    "pool",
    headers=HeaderEdits({"x-selected-model": "m"}),
    response_headers={"x-vsr-schema-version": "2"},
    success_headers={"x-vsr-selected-model": "m"},
)


def _set(mutation: pb.HeaderMutation) -> dict[str, bytes]:
    return {option.header.key: option.header.raw_value for option in mutation.set_headers}


def test_a_buffered_request_is_answered_at_its_body(kit: Any) -> None:
    """Headers pass, the body is routed, and the router sees the bytes as they came."""
    router = kit.router(_FORWARD)
    headers, body = kit.converse(kit.exchange(router), kit.say.headers(), kit.say.body(b'{"a": 1}'))
    assert headers.WhichOneof("response") == "request_headers"
    assert _set(body.request_body.response.header_mutation) == {"x-selected-model": b"m"}
    assert router.bodies == [b'{"a": 1}']


def test_a_managed_stream_ends_with_the_answer(kit: Any) -> None:
    """After a managed answer there is nothing left that our death could cut."""
    exchange = kit.exchange(kit.router(_FORWARD), managed=True)
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body())
    assert exchange.done
    assert answer.HasField("dynamic_metadata")


def test_a_foreign_answer_carries_no_metadata(kit: Any) -> None:
    """A foreign data plane gets headers in the response phase instead, so its stream goes on."""
    exchange = kit.exchange(kit.router(_FORWARD))
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body())
    assert not exchange.done
    assert not answer.HasField("dynamic_metadata")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200", {"x-vsr-schema-version": b"2", "x-vsr-selected-model": b"m"}),
        ("204", {"x-vsr-schema-version": b"2", "x-vsr-selected-model": b"m"}),
        ("300", {"x-vsr-schema-version": b"2"}),
        ("503", {"x-vsr-schema-version": b"2"}),
    ],
)
def test_success_headers_are_for_successes(kit: Any, witness: Any, status: str, expected: Any) -> None:
    """Every answer says who handled it; only a 2xx says what was selected."""
    exchange = kit.exchange(kit.router(_FORWARD), seen=witness)
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body(), kit.say.response_headers(status))
    assert _set(answer.response_headers.response.header_mutation) == expected
    assert answer.mode_override.response_body_mode == _MODE.NONE
    assert witness.responses == [("r-1", int(status))]


def test_a_foreign_stream_ends_with_the_response_headers(kit: Any) -> None:
    """A data plane that names its modes needs us no longer once its response has begun."""
    exchange = kit.exchange(kit.router(_FORWARD))
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED, _MODE.BUFFERED)
    kit.converse(exchange, first, kit.say.body(), kit.say.response_headers())
    assert exchange.done


def test_an_old_data_plane_is_served_to_the_end(kit: Any) -> None:
    """Without knowledge of the modes every response message is answered, unchanged."""
    exchange = kit.exchange(kit.router(_FORWARD))
    messages = (kit.say.response_headers(), kit.say.response_body(), kit.say.response_trailers())
    *_, body, trailers = kit.converse(exchange, kit.say.headers(), kit.say.body(), *messages)
    assert body == pb.ProcessingResponse(response_body=pb.BodyResponse(response=pb.CommonResponse()))
    assert trailers.WhichOneof("response") == "response_trailers"


def test_a_duplex_response_is_echoed(kit: Any) -> None:
    """What a full-duplex data plane hands us is lost unless every piece is sent back."""
    exchange = kit.exchange(kit.router(_FORWARD))
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED, _MODE.FULL_DUPLEX_STREAMED)
    pieces = (kit.say.response_body(b"one", end=False), kit.say.response_body(b"two"))
    *_, one, two = kit.converse(exchange, first, kit.say.body(), kit.say.response_headers(), *pieces)
    echoed = [answer.response_body.response.body_mutation.streamed_response for answer in (one, two)]
    assert [(piece.body, piece.end_of_stream) for piece in echoed] == [(b"one", False), (b"two", True)]


def test_a_preview_answers_at_the_headers(kit: Any) -> None:
    """What the request line settles is settled before the body is read."""
    router = kit.router(previewed=Reply(404, {}, b"no"))
    exchange = kit.exchange(router)
    (answer,) = kit.converse(exchange, kit.say.headers(path="/v1/nothing"))
    assert answer.immediate_response.status.code == 404
    assert exchange.done
    assert router.bodies == []


def test_a_post_without_a_body_is_routed(kit: Any) -> None:
    """A POST that ends with its headers has an empty body, which the router refuses in its own words."""
    router = kit.router(Reply(400, {}, b"empty"))
    (answer,) = kit.converse(kit.exchange(router), kit.say.headers(end=True))
    assert answer.immediate_response.status.code == 400
    assert router.bodies == [b""]


def test_other_services_pass_a_foreign_data_plane(kit: Any) -> None:
    """A path outside /v1/ is another service's: only forged headers are removed, and its stream is let go."""
    router = kit.router(_FORWARD)
    exchange = kit.exchange(router)
    (answer,) = kit.converse(exchange, kit.say.headers(("x-selected-model", "forged"), path="/shop/cart"))
    mutation = answer.request_headers.response.header_mutation
    assert (list(mutation.remove_headers), list(mutation.set_headers)) == (["x-selected-model"], [])
    assert exchange.done
    assert router.bodies == []


def test_other_services_pass_in_duplex_too(kit: Any) -> None:
    """Pieces of a body that is none of ours are sent back at once, as they come."""
    first = kit.say.with_modes(kit.say.headers(path="/shop"), _MODE.FULL_DUPLEX_STREAMED)
    exchange = kit.exchange(kit.router())
    pieces = (kit.say.body(b"a", end=False), kit.say.body(b"b"))
    headers, *echoed = kit.converse(exchange, first, *pieces)
    assert headers.WhichOneof("response") == "request_headers"
    sent = [answer.request_body.response.body_mutation.streamed_response for answer in echoed]
    assert [(piece.body, piece.end_of_stream) for piece in sent] == [(b"a", False), (b"b", True)]


def test_forged_headers_are_removed_at_both_phases(kit: Any) -> None:
    """A forged header is gone before the body is read, and cannot come back with the answer."""
    forged = ("x-gateway-destination-endpoint", "10.0.0.1:80")
    answers = kit.converse(kit.exchange(kit.router(_FORWARD)), kit.say.headers(forged), kit.say.body())
    commons = (answers[0].request_headers.response, answers[1].request_body.response)
    assert [list(common.header_mutation.remove_headers) for common in commons] == [[forged[0]]] * 2


def test_foreign_upstreams_are_asked_for_plain_bytes(kit: Any) -> None:
    """Later filters of a foreign data plane can read the response; behind our own nothing reads it."""
    accepts = []
    for managed in (False, True):
        first, *_ = kit.converse(kit.exchange(kit.router(_FORWARD), managed=managed), kit.say.headers())
        accepts.append(_set(first.request_headers.response.header_mutation).get("accept-encoding"))
    assert accepts == [b"identity", None]


def test_a_buffered_body_before_trailers_is_complete(kit: Any) -> None:
    """A buffered body is whole although trailers, not the body, end the stream."""
    router = kit.router(_FORWARD)
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED)
    _, body, trailers = kit.converse(
        kit.exchange(router), first, kit.say.body(b"{}", end=False), kit.say.trailers()
    )
    assert body.WhichOneof("response") == "request_body"
    assert trailers.WhichOneof("response") == "request_trailers"
    assert router.bodies == [b"{}"]


def test_a_partially_buffered_body_is_refused(kit: Any) -> None:
    """The rest of a partial body would pass unread, so what cannot be read whole is 413."""
    first = kit.say.with_modes(kit.say.headers(), _MODE.BUFFERED_PARTIAL)
    *_, answer = kit.converse(kit.exchange(kit.router()), first, kit.say.body(end=False))
    assert answer.immediate_response.status.code == 413


def test_trailers_after_swallowed_chunks_are_refused(kit: Any) -> None:
    """A held-back body cannot be put into an answer to trailers; losing it in silence would be worse."""
    first = kit.say.with_modes(kit.say.headers(), _MODE.STREAMED)
    router = kit.router()
    *_, answer = kit.converse(kit.exchange(router), first, kit.say.body(end=False), kit.say.trailers())
    assert answer.immediate_response.status.code == 400
    assert router.bodies == []
