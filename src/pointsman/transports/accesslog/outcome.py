"""One entry of Envoy's access log as a value of ours; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration

from pointsman.core import headers as names
from pointsman.transports.wire import accesslog_pb2 as pb
from pointsman.transports.wire import contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one request ended."""

    request_id: str
    """The ``x-request-id`` the router saw with the request."""
    status: int
    """What the client got; 0 when it left before any answer."""
    pool: str
    """The provider model's pool, empty when no decision was made or the router answered itself."""
    model: str
    """The logical model chosen (``x-selected-model``), empty without one."""
    endpoint: str
    """``ip:port`` of the replica that answered, or was tried last; empty when none was."""
    undecided: bool
    """The router was down, late or silent, so the request was refused without a decision."""
    flags: tuple[str, ...]
    """Envoy's reasons when something went wrong, by its names: ``no_healthy_upstream``, ..."""
    details: str
    """Envoy's response code details: ``via_upstream``, ``stream_idle_timeout``, ..."""
    duration_ms: float
    """From the first byte of the request to the last of the answer."""
    ttfb_ms: float | None
    """To the first byte from the replica; ``None`` when none came."""
    response_bytes: int = 0
    """Of the answer's body, as sent to the client."""
    attempts: int
    """Tries at replicas: 0 when none was asked, 2 after one retry."""
    method: str
    path: str
    """Without its query."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The decision's dynamic metadata."""

    @property
    def completed(self) -> bool:
        """Whether the client got a whole answer from a replica."""
        return self.details == "via_upstream" and not self.flags


def decode(entry: pb.HTTPAccessLogEntry) -> Outcome:
    """Translate ``entry``; a field Envoy left out becomes its empty value."""
    common, request, response = entry.common_properties, entry.request, entry.response
    return Outcome(
        request_id=request.request_id,
        status=response.response_code.value,
        pool=_pool(common.upstream_cluster, request.request_headers),
        model=request.request_headers.get(names.SELECTED_MODEL, ""),
        endpoint=_endpoint(common.upstream_remote_address),
        undecided=_undecided(common),
        flags=tuple(flag.name for flag, _ in common.response_flags.ListFields()),
        details=response.response_code_details,
        duration_ms=_milliseconds(_duration(common)),
        ttfb_ms=_first_byte(common),
        response_bytes=response.response_body_bytes,
        attempts=common.upstream_request_attempt_count,
        method=pb.HTTPRequestProperties.Method.Name(request.request_method),
        path=(request.original_path or request.path).partition("?")[0],
        metadata=_metadata(common.metadata),
    )


def _pool(cluster: str, headers: Mapping[str, str]) -> str:
    """The cluster that was used; the header only survives when no route took the request."""
    if cluster.startswith(contract.POOL_CLUSTER_PREFIX):
        return cluster.removeprefix(contract.POOL_CLUSTER_PREFIX)
    return headers.get(names.POOL, "")


def _undecided(common: pb.AccessLogCommon) -> bool:
    """Refusals only: the router's own replies are made on the same route."""
    refused = common.response_flags.no_healthy_upstream
    return refused and common.route_name == contract.UNDECIDED_ROUTE


def _endpoint(address: pb.Address) -> str:
    socket = address.socket_address
    if not socket.address:
        return ""
    host = f"[{socket.address}]" if ":" in socket.address else socket.address
    return f"{host}:{socket.port_value}"


def _duration(common: pb.AccessLogCommon) -> Duration:
    return common.duration if common.HasField("duration") else common.time_to_last_downstream_tx_byte


def _first_byte(common: pb.AccessLogCommon) -> float | None:
    if not common.HasField("time_to_first_upstream_rx_byte"):
        return None
    return _milliseconds(common.time_to_first_upstream_rx_byte)


def _milliseconds(duration: Duration) -> float:
    return duration.seconds * 1e3 + duration.nanos / 1e6


def _metadata(metadata: pb.Metadata) -> Mapping[str, Any]:
    if contract.NAMESPACE not in metadata.filter_metadata:
        return {}
    return json_format.MessageToDict(metadata.filter_metadata[contract.NAMESPACE])
