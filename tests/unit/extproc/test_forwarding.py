"""Translation of ``Forward``."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.decision import Decision, Match
from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.request import Head
from pointsman.core.rule import Node, Operator
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.transports.extproc import forwarding
from pointsman.transports.extproc.forwarding import STREAMED_CHUNK, Onward
from pointsman.transports.extproc.messages import Arrival
from pointsman.transports.wire import extproc_pb2 as pb


def _onward(forward: Forward, *, managed: bool = False, forged: tuple[str, ...] = ()) -> Onward:
    return Onward(forward, Arrival(Head("POST", "/v1/x", {}), forged), managed)


def _set(common: pb.CommonResponse) -> dict[str, bytes]:
    return {option.header.key: option.header.raw_value for option in common.header_mutation.set_headers}


def _common(forward: Forward, **kwargs: Any) -> pb.CommonResponse:
    (response,) = forwarding.body_answer(_onward(forward, **kwargs))
    return response.request_body.response


def test_an_untouched_request_is_not_mentioned() -> None:
    """Nothing changed means nothing sent: no header, no body, no route cleared."""
    common = _common(Forward("pool"))
    assert common == pb.CommonResponse()


def test_an_untouched_body_passes_byte_for_byte() -> None:
    """New headers alone leave the body and its length alone."""
    common = _common(Forward("", headers=HeaderEdits({"x-selected-model": "m"})))
    assert _set(common) == {"x-selected-model": b"m"}
    assert not common.HasField("body_mutation")
    assert common.clear_route_cache


def test_a_changed_body_carries_its_length() -> None:
    """Envoy keeps the client's content-length in buffered mode, so ours must replace it."""
    common = _common(Forward("", body="é".encode(), headers=HeaderEdits({"Content-Length": "999"})))
    assert (common.body_mutation.body, _set(common)) == ("é".encode(), {"content-length": b"2"})


def test_an_emptied_body_is_a_change() -> None:
    """An empty new body is not the same as an untouched one."""
    common = _common(Forward("", body=b""))
    assert common.body_mutation.WhichOneof("mutation") == "body"
    assert _set(common) == {"content-length": b"0"}


@pytest.mark.parametrize(("managed", "expected"), [(True, {"x-pointsman-pool": b"p"}), (False, {})])
def test_the_pool_is_told_to_our_own_data_plane_only(*, managed: bool, expected: dict[str, bytes]) -> None:
    """A foreign data plane routes by its own means and never sees the pool."""
    assert _set(_common(Forward("p"), managed=managed)) == expected


def test_our_pool_wins_over_a_forged_one() -> None:
    """The client's pool header is overwritten, not removed after ours was set."""
    common = _common(Forward("p"), managed=True, forged=("x-pointsman-pool", "x-selected-model"))
    assert _set(common) == {"x-pointsman-pool": b"p"}
    assert list(common.header_mutation.remove_headers) == ["x-selected-model"]


def test_a_new_path_is_set() -> None:
    """A provider with another path gets it through ``:path``."""
    assert _set(_common(Forward("", path="/openai/chat"))) == {":path": b"/openai/chat"}


def test_a_bodyless_request_stays_bodyless() -> None:
    """Headers are edited, but a body is not invented and no length claimed."""
    (response,) = forwarding.headers_answer(
        _onward(Forward("", body=b"new", headers=HeaderEdits({"a": "1"})))
    )
    common = response.request_headers.response
    assert _set(common) == {"a": b"1"}
    assert not common.HasField("body_mutation")


def test_swallowed_chunks_are_put_back() -> None:
    """An untouched body whose chunks were held back is restored whole."""
    (response,) = forwarding.body_answer(_onward(Forward("")), held=b"all of it")
    assert response.request_body.response.body_mutation.body == b"all of it"


def _pieces(answers: forwarding.Answers) -> list[pb.StreamedBodyResponse]:
    return [answer.request_body.response.body_mutation.streamed_response for answer in answers]


@given(
    size=st.integers(min_value=0, max_value=3 * STREAMED_CHUNK),
    changed=st.booleans(),
    trailers=st.booleans(),
)
def test_a_duplex_body_is_sent_whole_in_bounded_pieces(*, size: int, changed: bool, trailers: bool) -> None:
    """Headers come first, then pieces under Envoy's limit that join to the body; only the last ends it."""
    body = bytes(index % 251 for index in range(size))
    forward = Forward("", body=body if changed else None)
    received = b"other" if changed else body
    answers = forwarding.duplex_answer(_onward(forward), received, trailers=trailers)
    assert answers[0].WhichOneof("response") == "request_headers"
    pieces = _pieces(answers[1:-1] if trailers else answers[1:])
    assert b"".join(piece.body for piece in pieces) == body
    assert all(len(piece.body) <= STREAMED_CHUNK for piece in pieces)
    ends = [piece.end_of_stream for piece in pieces]
    if trailers:
        assert answers[-1].WhichOneof("response") == "request_trailers"
        assert not any(ends)
    else:
        assert ends == [False] * (len(ends) - 1) + [True]


def test_a_changed_duplex_body_drops_the_old_length() -> None:
    """The client's content-length does not describe the new body."""
    head, *_ = forwarding.duplex_answer(_onward(Forward("", body=b"new")), b"old!", trailers=False)
    common = head.request_headers.response
    assert list(common.header_mutation.remove_headers) == ["content-length"]
    assert _set(common) == {}


def _outcome(ruling: Ruling) -> Struct:
    response = pb.ProcessingResponse()
    forwarding.attach_outcome(response, ruling)
    return response.dynamic_metadata


def test_the_outcome_of_a_forward_is_metadata() -> None:
    """Our own data plane gets both header sets, and what its access log names."""
    target = Target("m\r\n1", "wire", "provider")
    trace = Trace(
        request_id="r-1",
        match=Match(Decision("math", Node(Operator.AND))),
        selection=Selection(Candidate(target), "single"),
    )
    forward = Forward("p", response_headers={"X-A": "1"}, success_headers={"x-b": "2\n3"})
    fields = _outcome(Ruling(forward, trace))["pointsman"]
    assert dict(fields["response_headers"].items()) == {"x-a": "1"}
    assert dict(fields["success_headers"].items()) == {"x-b": "2 3"}
    named = {key: fields[key] for key in ("decision", "model", "request_id")}
    assert named == {"decision": "math", "model": "m  1", "request_id": "r-1"}


def test_the_outcome_of_a_reply_names_no_headers() -> None:
    """A reply carries its headers itself; only the names for the access log are metadata."""
    fields = _outcome(Ruling(Reply(400, {"a": "b"}, b""), Trace(request_id="r-1")))["pointsman"]
    assert dict(fields.items()) == {"request_id": "r-1"}
