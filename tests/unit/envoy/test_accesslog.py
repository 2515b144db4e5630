from hypothesis import given
from hypothesis import strategies as st

from pointsman.transports.accesslog.outcome import Outcome, decode
from pointsman.transports.accesslog.sink import AccessLogSink
from pointsman.transports.wire import accesslog_pb2 as pb
from pointsman.transports.wire import contract


def _entry() -> pb.HTTPAccessLogEntry:
    entry = pb.HTTPAccessLogEntry()
    common, request, response = entry.common_properties, entry.request, entry.response
    common.duration.FromMilliseconds(1500)
    common.time_to_first_upstream_rx_byte.FromMicroseconds(250_500)
    common.upstream_remote_address.socket_address.address = "10.0.0.1"
    common.upstream_remote_address.socket_address.port_value = 8000
    common.upstream_cluster = "pool/org/model"
    common.upstream_request_attempt_count = 2
    common.metadata.filter_metadata[contract.NAMESPACE].update({"decision": "d"})
    common.metadata.filter_metadata["other"].update({"not": "ours"})
    request.request_method = pb.HTTPRequestProperties.POST
    request.path, request.request_id = "/v1/completions?key=secret", "id"
    request.request_headers["x-selected-model"] = "logical"
    response.response_code.value, response.response_code_details = 200, "via_upstream"
    return entry


def test_an_entry_becomes_an_outcome() -> None:
    """Every field, in our units and without the query."""
    assert decode(_entry()) == Outcome(
        request_id="id",
        status=200,
        pool="org/model",
        model="logical",
        endpoint="10.0.0.1:8000",
        undecided=False,
        flags=(),
        details="via_upstream",
        duration_ms=1500.0,
        ttfb_ms=250.5,
        attempts=2,
        method="POST",
        path="/v1/completions",
        metadata={"decision": "d"},
    )
    assert decode(_entry()).completed


def test_an_empty_entry_is_an_outcome_of_empty_values() -> None:
    """Envoy leaves out what it does not know; nothing of that is an error."""
    outcome = decode(pb.HTTPAccessLogEntry())
    assert (outcome.status, outcome.pool, outcome.endpoint, outcome.attempts) == (0, "", "", 0)
    assert (outcome.duration_ms, outcome.ttfb_ms, outcome.metadata) == (0.0, None, {})
    assert not outcome.completed


def test_flags_are_envoys_reasons_by_name() -> None:
    """A refusal without a decision is told from a pool without replicas."""
    entry = _entry()
    entry.common_properties.response_flags.no_healthy_upstream = True
    entry.common_properties.response_flags.stream_idle_timeout = True
    assert decode(entry).flags == ("no_healthy_upstream", "stream_idle_timeout")
    assert not decode(entry).undecided
    entry.common_properties.route_name = contract.UNDECIDED_ROUTE
    assert decode(entry).undecided
    assert not decode(entry).completed


def test_an_ipv6_replica_has_brackets() -> None:
    """``[address]:port``, as everywhere else."""
    entry = _entry()
    entry.common_properties.upstream_remote_address.socket_address.address = "::1"
    assert decode(entry).endpoint == "[::1]:8000"


def _message(*entries: pb.HTTPAccessLogEntry) -> bytes:
    message = pb.StreamAccessLogsMessage()
    message.http_logs.log_entry.extend(entries)
    return message.SerializeToString()


@given(st.binary(max_size=400))
def test_no_message_can_harm_the_sink(raw: bytes) -> None:
    """Garbage is counted or skipped, and the next message is read."""
    got: list[Outcome] = []
    sink = AccessLogSink(got.append)
    sink.feed(raw)
    sink.feed(_message(_entry()))
    assert got[-1] == decode(_entry())
    assert sink.failed == 0


def test_an_unreadable_message_is_counted() -> None:
    """The number of malformed messages is there for a metric."""
    sink = AccessLogSink(lambda _: None)
    sink.feed(b"\xff\xff\xff")
    assert (sink.received, sink.malformed) == (0, 1)


def test_a_receiver_that_raises_costs_its_own_entry_only() -> None:
    """One defect does not end the feedback of the entries behind it."""
    got: list[str] = []

    def receive(outcome: Outcome) -> None:
        if outcome.request_id == "bad":
            raise RuntimeError
        got.append(outcome.request_id)

    bad = _entry()
    bad.request.request_id = "bad"
    sink = AccessLogSink(receive)
    sink.feed(_message(bad, _entry()))
    assert got == ["id"]
    assert (sink.received, sink.failed) == (2, 1)


@given(st.integers(-(2**31), 2**31 - 1))
def test_an_unknown_method_is_no_crash(number: int) -> None:
    """A method number from a newer Envoy is counted as malformed, at worst."""
    entry = _entry()
    raw = (
        entry.SerializeToString()
        + pb.HTTPAccessLogEntry(
            request=pb.HTTPRequestProperties(request_method=number)  # type: ignore[arg-type]
        ).SerializeToString()
    )
    sink = AccessLogSink(lambda _: None)
    sink.feed(_message(pb.HTTPAccessLogEntry.FromString(raw)))
    assert sink.received + sink.malformed == 1
