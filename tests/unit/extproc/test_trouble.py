"""The conversation when something is wrong: bounds, defects, violations."""

from collections.abc import Callable
from typing import Any

import pytest

from pointsman.core.verdict import Forward, HeaderEdits
from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.events import ErrorKind
from pointsman.transports.wire import extproc_pb2 as pb

_MODE = pb.ProcessingMode
_FORWARD = Forward("pool", headers=HeaderEdits({"x-selected-model": "m"}))


def _set(mutation: pb.HeaderMutation) -> dict[str, bytes]:
    return {option.header.key: option.header.raw_value for option in mutation.set_headers}


@pytest.mark.parametrize("mode", [_MODE.BUFFERED, _MODE.STREAMED, _MODE.FULL_DUPLEX_STREAMED])
def test_a_body_over_the_bound_is_413(kit: Any, witness: Any, mode: int) -> None:
    """The bound holds for every way a body can come, and the router never sees what is over it."""
    router = kit.router()
    exchange = kit.exchange(router, seen=witness, max_body=10)
    first = kit.say.with_modes(kit.say.headers(), mode)
    *_, answer = kit.converse(exchange, first, kit.say.body(b"x" * 6, end=False), kit.say.body(b"x" * 6))
    if mode == _MODE.BUFFERED:
        assert router.bodies == [b"x" * 6]
        return
    assert answer.immediate_response.status.code == 413
    assert b"10 bytes" in answer.immediate_response.body
    assert (router.bodies, witness.errors) == ([], [ErrorKind.TOO_LARGE])


def test_an_announced_length_over_the_bound_is_413_at_once(kit: Any) -> None:
    """A client that says how much it will send need not send it to be refused."""
    exchange = kit.exchange(kit.router(), max_body=10)
    (answer,) = kit.converse(exchange, kit.say.headers(("content-length", "11")))
    assert answer.immediate_response.status.code == 413


@pytest.mark.parametrize(
    ("script", "status", "kind"),
    [
        ({"hang": True}, 503, ErrorKind.DEADLINE),
        ({"defect": ValueError("secret detail")}, 500, ErrorKind.DEFECT),
        ({"defect": TimeoutError("its own")}, 500, ErrorKind.DEFECT),
    ],
)
def test_a_router_in_trouble_is_an_error_in_the_clients_shape(
    kit: Any,
    witness: Any,
    script: Any,
    status: int,
    kind: Any,
) -> None:
    """Too slow is 503, broken is 500; both are counted, ruled once, and leak nothing."""
    admission = Admission(1)
    exchange = kit.exchange(kit.router(**script), seen=witness, timeout_s=0.01, admission=admission)
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body())
    assert answer.immediate_response.status.code == status
    assert b'"error"' in answer.immediate_response.body
    assert b"secret" not in answer.immediate_response.body
    assert (witness.errors, len(witness.rulings), admission.in_flight) == ([kind], 1, 0)
    assert witness.causes[0].__traceback__ is not None


def test_a_router_that_cannot_even_refuse_is_still_a_500(kit: Any) -> None:
    """The client gets the common error shape when the router's own refusal is broken too."""
    router = kit.router(defect=ValueError(), refusal_defect=ValueError())
    *_, answer = kit.converse(kit.exchange(router), kit.say.headers(), kit.say.body())
    assert answer.immediate_response.status.code == 500
    assert b"internal error" in answer.immediate_response.body


def test_a_full_house_is_refused_at_once(kit: Any, witness: Any) -> None:
    """Beyond the bound nothing waits: 429 with the time to come back."""
    router = kit.router()
    exchange = kit.exchange(router, seen=witness, admission=Admission(0))
    *_, answer = kit.converse(exchange, kit.say.headers(), kit.say.body())
    assert answer.immediate_response.status.code == 429
    assert _set(answer.immediate_response.headers)["retry-after"] == b"1"
    assert (router.bodies, witness.errors) == ([], [ErrorKind.OVERLOAD])


def test_a_broken_observer_does_not_break_traffic(kit: Any, witness: Any) -> None:
    """A callback that raises is counted as our defect; the request is served."""
    witness.rulings = None  # append on it raises
    *_, answer = kit.converse(
        kit.exchange(kit.router(_FORWARD), seen=witness), kit.say.headers(), kit.say.body()
    )
    assert answer.WhichOneof("response") == "request_body"
    assert witness.errors == [ErrorKind.DEFECT]


def test_a_body_without_headers_names_the_setting(kit: Any) -> None:
    """A data plane that skips request headers is told so in the answer instead of passing unrouted."""
    (answer,) = kit.converse(kit.exchange(kit.router()), kit.say.body())
    assert answer.immediate_response.status.code == 503
    assert b"request_header_mode" in answer.immediate_response.body


@pytest.mark.parametrize(
    "tail", [lambda say: say.headers(), lambda _: pb.ProcessingRequest(), lambda say: say.body()]
)
def test_a_violation_ends_the_stream(kit: Any, witness: Any, tail: Callable[[Any], Any]) -> None:
    """Repeated and unknown messages are counted and end the stream with a reason."""
    exchange = kit.exchange(kit.router(_FORWARD), seen=witness)
    answers = kit.converse(exchange, kit.say.headers(), kit.say.body(), tail(kit.say), kit.say.body())
    assert len(answers) == 2
    assert exchange.done
    assert exchange.violation
    assert witness.errors == [ErrorKind.PROTOCOL]


def test_bytes_that_are_no_message_end_the_stream(kit: Any, witness: Any) -> None:
    """Garbage on the stream is counted and ends it."""
    exchange = kit.exchange(kit.router(), seen=witness)
    coroutine = exchange.feed(b"\xff\xff\xff")
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert (stop.value.value, exchange.done, witness.errors) == ((), True, [ErrorKind.PROTOCOL])


@pytest.mark.parametrize(("fed", "counted"), [(0, 1), (1, 1), (2, 0)])
def test_leaving_early_is_counted(kit: Any, witness: Any, fed: int, counted: int) -> None:
    """A stream that goes away before its answer is counted once; after the answer it is how streams end."""
    exchange = kit.exchange(kit.router(_FORWARD), seen=witness)
    kit.converse(exchange, *(kit.say.headers(), kit.say.body())[:fed])
    exchange.leave()
    exchange.leave()
    assert witness.errors == [ErrorKind.ABANDONED] * counted
