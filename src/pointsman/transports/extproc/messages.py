"""ext_proc messages to core values and back: pure functions, no state, no gRPC."""

from collections.abc import Iterable, Mapping

import msgspec

from pointsman.core import headers as names
from pointsman.core.request import Head
from pointsman.core.verdict import Reply
from pointsman.transports.extproc.sanitise import header_name, header_value
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

_OVERWRITE = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
STATUS = ":status"
_SET_BY_ENVOY = frozenset({"content-length", "transfer-encoding", "connection"})


class Arrival(msgspec.Struct, frozen=True):
    """Request headers as they came in."""

    head: Head
    forged: tuple[str, ...] = ()
    """Internal names the client sent: already absent from ``head``, still to be removed by the data plane."""


def arrival_of(message: pb.HttpHeaders) -> Arrival:
    """Read request headers: names in lower case, repeated names joined with ``", "``.

    ``:authority`` becomes ``host`` unless the client sent one; other pseudo-headers stay out of the mapping.
    """
    named = header_map(message.headers)
    pseudo = {name: value for name, value in named.items() if name.startswith(":")}
    headers = {name: value for name, value in named.items() if not name.startswith(":")}
    forged = tuple(name for name in names.INTERNAL_REQUEST_HEADERS if headers.pop(name, None) is not None)
    if ":authority" in pseudo:
        headers.setdefault("host", pseudo[":authority"])
    return Arrival(Head(pseudo.get(":method", ""), pseudo.get(":path", ""), headers), forged)


def header_map(message: pb.HeaderMap) -> dict[str, str]:
    """All headers: names in lower case, repeated ones joined with ``", "``, pseudo-headers with a colon."""
    headers: dict[str, str] = {}
    for entry in message.headers:
        name, value = entry.key.lower(), _text(entry)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def status_of(message: pb.HttpHeaders) -> int:
    """The HTTP status of response headers; 0 when there is none to read."""
    for entry in message.headers.headers:
        if entry.key == ":status":
            return number(_text(entry))
    return 0


def number(text: str) -> int:
    """A non-negative decimal number of up to 18 digits; anything else is 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _text(entry: pb.HeaderValue) -> str:
    """A header's value. Envoy fills ``raw_value``; bytes that are not UTF-8 are read as latin-1."""
    if not entry.raw_value:
        return entry.value
    try:
        return entry.raw_value.decode()
    except UnicodeDecodeError:
        return entry.raw_value.decode("latin-1")


def mutation_of(set_headers: Mapping[str, str], remove: Iterable[str] = ()) -> pb.HeaderMutation:
    """Header changes: ``remove`` first, then ``set_headers``, overwriting. Impossible names are left out."""
    wanted = {name.lower(): value for name, value in set_headers.items() if header_name(name)}
    mutation = pb.HeaderMutation()
    for name, value in wanted.items():
        option = mutation.set_headers.add()
        option.append_action = _OVERWRITE
        option.header.key = name
        option.header.raw_value = header_value(value).encode()
    dropped = dict.fromkeys(name.lower() for name in remove if header_name(name))
    mutation.remove_headers.extend(name for name in dropped if name not in wanted)
    return mutation


def answer_mutation_of(set_headers: Mapping[str, str], remove: Iterable[str] = ()) -> pb.HeaderMutation:
    """Changes of an answer's headers, which may change its ``:status`` too."""
    mutation = mutation_of(set_headers, remove)
    status = number(set_headers.get(STATUS, ""))
    if 200 <= status <= 599:
        option = mutation.set_headers.add()
        option.append_action = _OVERWRITE
        option.header.key = STATUS
        option.header.raw_value = str(status).encode()
    return mutation


def passed(arrival: Arrival, set_headers: Mapping[str, str]) -> pb.ProcessingResponse:
    """Answer to request headers that need nothing yet: go on, without the internal names a client sent."""
    response = pb.ProcessingResponse()
    common = response.request_headers.response
    common.SetInParent()
    if arrival.forged or set_headers:
        common.header_mutation.CopyFrom(mutation_of(set_headers, arrival.forged))
        # The route was matched with the client's headers: a forged name must not have chosen it.
        common.clear_route_cache = bool(arrival.forged)
    return response


def nothing_to_add() -> pb.ProcessingResponse:
    """Answer to request headers that go on as they are."""
    response = pb.ProcessingResponse()
    response.request_headers.response.SetInParent()
    return response


def swallowed() -> pb.ProcessingResponse:
    """Answer to a STREAMED chunk that is held back until the last one."""
    response = pb.ProcessingResponse()
    response.request_body.response.body_mutation.clear_body = True
    return response


def streamed(body: bytes, *, last: bool) -> pb.ProcessingResponse:
    """A piece of a FULL_DUPLEX_STREAMED request body, for the upstream."""
    response = pb.ProcessingResponse()
    piece = response.request_body.response.body_mutation.streamed_response
    piece.body = body
    piece.end_of_stream = last
    return response


def request_trailers_answer() -> pb.ProcessingResponse:
    """Request trailers pass unchanged."""
    return pb.ProcessingResponse(request_trailers=pb.TrailersResponse())


def immediate(reply: Reply) -> pb.ProcessingResponse:
    """``reply`` for the client, instead of an upstream's answer."""
    response = pb.ProcessingResponse()
    answer = response.immediate_response
    answer.status.code = reply.status
    answer.body = reply.body
    answer.details = contract.REPLY_DETAILS
    kept = {name: value for name, value in reply.headers.items() if name.lower() not in _SET_BY_ENVOY}
    answer.headers.CopyFrom(mutation_of(kept))
    return response


def response_headers_answer(set_headers: Mapping[str, str], *, release_body: bool) -> pb.ProcessingResponse:
    """Answer to response headers. ``release_body`` asks not to be sent the body: nothing buffers it then."""
    response = pb.ProcessingResponse()
    response.response_headers.response.SetInParent()
    if set_headers:
        response.response_headers.response.header_mutation.CopyFrom(mutation_of(set_headers))
    if release_body:
        mode = response.mode_override
        mode.request_header_mode = pb.ProcessingMode.SEND
        mode.response_header_mode = pb.ProcessingMode.SEND
        mode.request_body_mode = pb.ProcessingMode.NONE
        mode.response_body_mode = pb.ProcessingMode.NONE
        mode.request_trailer_mode = pb.ProcessingMode.SKIP
        mode.response_trailer_mode = pb.ProcessingMode.SKIP
    return response


def response_body_answer(body: pb.HttpBody, *, duplex: bool) -> pb.ProcessingResponse:
    """A response chunk passes unchanged; a FULL_DUPLEX_STREAMED one has to be sent back to pass at all."""
    response = pb.ProcessingResponse()
    response.response_body.response.SetInParent()
    if duplex:
        piece = response.response_body.response.body_mutation.streamed_response
        piece.body = body.body
        piece.end_of_stream = body.end_of_stream
    return response


def response_streamed(body: bytes, *, last: bool) -> pb.ProcessingResponse:
    """A piece of a FULL_DUPLEX_STREAMED response body, for the client."""
    response = pb.ProcessingResponse()
    piece = response.response_body.response.body_mutation.streamed_response
    piece.body = body
    piece.end_of_stream = last
    return response


def response_body_change(body: bytes, edits: pb.HeaderMutation | None) -> pb.ProcessingResponse:
    """``body`` instead of the STREAMED or BUFFERED one; ``edits`` where headers are still held."""
    response = pb.ProcessingResponse()
    common = response.response_body.response
    if body:
        common.body_mutation.body = body
    else:
        common.body_mutation.clear_body = True
    if edits is not None:
        common.header_mutation.CopyFrom(edits)
    return response


def response_trailers_answer() -> pb.ProcessingResponse:
    """Response trailers pass unchanged."""
    return pb.ProcessingResponse(response_trailers=pb.TrailersResponse())
