"""Endpoints towards the data plane."""

import pytest

from pointsman.core.request import Head
from pointsman.core.verdict import Forward
from pointsman.transports.extproc import forwarding
from pointsman.transports.extproc.forwarding import Answers, Onward
from pointsman.transports.extproc.messages import Arrival
from pointsman.transports.wire import extproc_pb2 as pb

DESTINATION = "x-gateway-destination-endpoint"


def answers(forward: Forward, kind: str, *, managed: bool) -> Answers:
    onward = Onward(forward, Arrival(Head("POST", "/v1/x", {}), (DESTINATION,)), managed)
    if kind == "headers":
        return forwarding.headers_answer(onward)
    if kind == "duplex":
        return forwarding.duplex_answer(onward, b"{}", trailers=False)
    return forwarding.body_answer(onward)


def common(response: pb.ProcessingResponse) -> pb.CommonResponse:
    return (
        response.request_body.response
        if response.HasField("request_body")
        else response.request_headers.response
    )


@pytest.mark.parametrize("kind", ["headers", "body", "duplex"])
@pytest.mark.parametrize("managed", [True, False])
def test_endpoints_go_as_header_and_as_metadata(kind: str, managed: bool) -> None:  # parametrised
    """The list is in both places of the endpoint-picker protocol, and replaces a client's own."""
    [first, *_] = answers(Forward("m", destinations=("10.0.0.1:80", "10.0.0.2:80")), kind, managed=managed)
    headers = {one.header.key: one.header.raw_value for one in common(first).header_mutation.set_headers}
    assert headers[DESTINATION] == b"10.0.0.1:80,10.0.0.2:80"
    assert DESTINATION not in common(first).header_mutation.remove_headers
    fields = first.dynamic_metadata.fields["envoy.lb"].struct_value.fields
    assert fields[DESTINATION].string_value == "10.0.0.1:80,10.0.0.2:80"


@pytest.mark.parametrize("kind", ["headers", "body", "duplex"])
def test_without_endpoints_a_clients_own_is_removed(kind: str) -> None:
    """Where the data plane chooses, no client has a say in it."""
    [first, *_] = answers(Forward("m"), kind, managed=True)
    assert list(common(first).header_mutation.remove_headers) == [DESTINATION]
    assert "envoy.lb" not in first.dynamic_metadata.fields
