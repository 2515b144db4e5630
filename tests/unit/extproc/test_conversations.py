"""Properties of every conversation."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.transports.wire import extproc_pb2 as pb

_MODE = pb.ProcessingMode


def _chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(
    data=st.binary(max_size=300),
    cuts=st.lists(st.integers(min_value=0), max_size=6),
    mode=st.sampled_from([None, _MODE.STREAMED, _MODE.FULL_DUPLEX_STREAMED]),
    changed=st.booleans(),
)
def test_any_chunking_gives_the_same_request(
    *,
    kit: Any,
    data: bytes,
    cuts: list[int],
    mode: int | None,
    changed: bool,
) -> None:
    """However a body is cut up, the router sees it whole and the upstream gets exactly what it should."""
    router = kit.router(Forward("", body=b"new body" if changed else None))
    first = kit.say.headers() if mode is None else kit.say.with_modes(kit.say.headers(), mode)
    chunks = _chunked(data, cuts)
    bodies = [kit.say.body(chunk, end=index == len(chunks) - 1) for index, chunk in enumerate(chunks)]
    answers = kit.converse(kit.exchange(router), first, *bodies)
    assert router.bodies == [data]
    assert _upstream_body(answers, chunks) == (b"new body" if changed else data)


def _upstream_body(answers: list[pb.ProcessingResponse], chunks: list[bytes]) -> bytes:
    """What a data plane would send upstream after these answers to these chunks."""
    sent = []
    answered = [answer.request_body.response for answer in answers if answer.HasField("request_body")]
    for index, common in enumerate(answered):
        kind = common.body_mutation.WhichOneof("mutation")
        if kind == "streamed_response":
            sent.append(common.body_mutation.streamed_response.body)
        elif kind == "body":
            sent.append(common.body_mutation.body)
        elif kind is None:
            sent.append(chunks[index])
    return b"".join(sent)


_MESSAGES = {
    "headers": lambda say, path: say.headers(path=path),
    "ended_headers": lambda say, path: say.headers(path=path, end=True),
    "get": lambda say, path: say.headers(path=path, method="GET", end=True),
    "body": lambda say, _: say.body(),
    "part": lambda say, _: say.body(b"part", end=False),
    "trailers": lambda say, _: say.trailers(),
    "response_headers": lambda say, _: say.response_headers(),
    "response_body": lambda say, _: say.response_body(),
    "response_trailers": lambda say, _: say.response_trailers(),
    "unknown": lambda _say, _path: pb.ProcessingRequest(),
}
_FORWARDS = (
    Forward("pool", headers=HeaderEdits({"x-selected-model": "m"}), response_headers={"a": "b"}),
    Forward("", body=b"new"),
)


@given(
    kinds=st.lists(st.sampled_from(sorted(_MESSAGES)), max_size=8),
    modes=st.none() | st.tuples(st.integers(0, 6), st.integers(0, 6)),
    managed=st.booleans(),
    path=st.sampled_from(["/v1/chat/completions", "/other", ""]),
    verdict=st.sampled_from([*_FORWARDS, Reply(200, {}, b"hi")]),
)
def test_any_conversation_is_survived(
    *, kit: Any, kinds: list[str], modes: tuple[int, int] | None, managed: bool, path: str, verdict: Any
) -> None:
    """In any order, each message gets its one answer or ends the stream: no data plane waits in vain."""
    exchange = kit.exchange(kit.router(verdict), managed=managed)
    collecting = modes is not None and modes[0] == _MODE.FULL_DUPLEX_STREAMED
    for index, kind in enumerate(kinds):
        message = _MESSAGES[kind](kit.say, path)
        if modes is not None and index == 0:
            kit.say.with_modes(message, *modes)
        over = exchange.done
        answers = kit.converse(exchange, message)
        assert not (over and answers)
        if not collecting:
            assert len(answers) == 1 or exchange.done
            assert all(_fits(answer, message) for answer in answers)
    exchange.leave()
    assert exchange.done


def _fits(answer: pb.ProcessingResponse, message: pb.ProcessingRequest) -> bool:
    return answer.WhichOneof("response") in {message.WhichOneof("request"), "immediate_response"}
