"""A ``Forward`` as ext_proc answers, one function for each way a body can reach us. Pure."""

import msgspec

from pointsman.core import headers as names
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward
from pointsman.transports.extproc.messages import Arrival, mutation_of, request_trailers_answer, streamed
from pointsman.transports.extproc.sanitise import header_value
from pointsman.transports.wire import contract
from pointsman.transports.wire import extproc_pb2 as pb

STREAMED_CHUNK = 62 * 1024
"""Bytes per ``streamed_response``: the usual limit for one such message is 64 KiB, envelope included."""

Answers = tuple[pb.ProcessingResponse, ...]


class Onward(msgspec.Struct, frozen=True):
    """A request to be sent on, and the kind of data plane that will send it."""

    forward: Forward
    arrival: Arrival
    managed: bool


def headers_answer(onward: Onward) -> Answers:
    """Answer to the headers of a request without a body; it stays without one."""
    response = pb.ProcessingResponse()
    _edit_headers(response.request_headers.response, onward, {})
    _name_destinations(response, onward.forward)
    return (response,)


def body_answer(onward: Onward, held: bytes | None = None) -> Answers:
    """Answer to the (last) body message.

    An unchanged body is not mentioned and passes byte for byte, except where earlier chunks were swallowed:
    then ``held`` is the whole body, and put back.
    """
    response = pb.ProcessingResponse()
    common = response.request_body.response
    body = onward.forward.body
    # Envoy keeps the client's length when it buffers, and ours is another one.
    _edit_headers(common, onward, {} if body is None else {"content-length": str(len(body))})
    if body is not None:
        common.body_mutation.body = body
    elif held is not None:
        common.body_mutation.body = held
    _name_destinations(response, onward.forward)
    return (response,)


def duplex_answer(onward: Onward, received: bytes, *, trailers: bool) -> Answers:
    """Answers to a whole FULL_DUPLEX_STREAMED request: headers, every byte of the body, trailers if any."""
    head = pb.ProcessingResponse()
    common = head.request_headers.response
    _edit_headers(common, onward, {})
    _name_destinations(head, onward.forward)
    body = onward.forward.body
    if body is None:
        body = received
    else:
        # The data plane frames the new body; the client's length would cut or stall it.
        common.header_mutation.remove_headers.append("content-length")
    starts = range(0, len(body), STREAMED_CHUNK) if body else range(0 if trailers else 1)
    pieces = [body[start : start + STREAMED_CHUNK] for start in starts]
    last = -1 if trailers else len(pieces) - 1
    sent = [streamed(piece, last=index == last) for index, piece in enumerate(pieces)]
    return (head, *sent, request_trailers_answer()) if trailers else (head, *sent)


def _edit_headers(common: pb.CommonResponse, onward: Onward, extra: dict[str, str]) -> None:
    forward = onward.forward
    edits = {**forward.headers.set, **extra}
    if onward.managed and forward.pool:
        edits[names.POOL] = forward.pool
    if forward.destinations:
        edits[names.DESTINATION] = ",".join(forward.destinations)
    if forward.path is not None:
        edits[":path"] = forward.path
    remove = (*forward.headers.remove, *onward.arrival.forged)
    common.SetInParent()
    if edits or remove:
        common.header_mutation.CopyFrom(mutation_of(edits, remove))
        common.clear_route_cache = onward.managed or forward.clear_route


def _name_destinations(response: pb.ProcessingResponse, forward: Forward) -> None:
    """The endpoints as metadata, too: a data plane may trust that alone, as no client can set it."""
    if forward.destinations:
        fields = response.dynamic_metadata.fields[contract.LB_NAMESPACE].struct_value.fields
        fields[names.DESTINATION].string_value = ",".join(forward.destinations)


def attach_outcome(response: pb.ProcessingResponse, ruling: Ruling) -> None:
    """Tell a managed data plane the outcome as dynamic metadata.

    Besides the two header structs of ``wire.contract``, the namespace carries ``decision``, ``model`` and
    ``request_id`` (strings; left out when unknown) for the access log.
    """
    fields = response.dynamic_metadata.fields[contract.NAMESPACE].struct_value.fields
    trace = ruling.trace
    outcome = {"request_id": trace.request_id}
    if trace.match is not None and trace.match.decision is not None:
        outcome["decision"] = trace.match.decision.name
    if trace.selection is not None:
        outcome["model"] = trace.selection.candidate.target.name
    for key, value in outcome.items():
        if value:
            fields[key].string_value = header_value(value)
    if isinstance(ruling.verdict, Forward):
        structs = {
            contract.RESPONSE_HEADERS: ruling.verdict.response_headers,
            contract.SUCCESS_HEADERS: ruling.verdict.success_headers,
        }
        for key, headers in structs.items():
            inner = fields[key].struct_value
            inner.SetInParent()
            for name, value in headers.items():
                inner.fields[name.lower()].string_value = header_value(value)
