"""A listener: connection limits, what counts as a valid request, the access log."""

from typing import Any

from pointsman.core import headers as names
from pointsman.transports.envoy import background, clusters, filters, local_reply, operations, routes, strip
from pointsman.transports.envoy.plan import Limits, Listener, Plan
from pointsman.transports.envoy.supervisor import ACCESS_LOG_FLUSH_S

_HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ACCESS_LOG = "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"

ACCESS_LOG_CLUSTER = "pointsman-outcomes"
ROUTES_FILE = "rds.json"
STAT_PREFIX = "data"
"""Statistics of client requests are ``http.data.*``."""


def render(listener: Listener, plan: Plan) -> dict[str, Any]:
    """The ``Listener`` resource."""
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(plan)}
    socket = {"address": listener.address, "port_value": listener.port}
    return {
        "name": listener.name,
        "address": {"socket_address": socket},
        # Bodies waiting for a decision have their own bound; this one is for bytes on the move.
        "per_connection_buffer_limit_bytes": 256 << 10,
        "filter_chains": [{"filters": [manager]}],
    }


def _manager(plan: Plan) -> dict[str, Any]:
    return {
        "@type": _HCM,
        "stat_prefix": STAT_PREFIX,
        "server_name": "pointsman",
        "rds": {
            "route_config_name": routes.ROUTES,
            "config_source": clusters.file_source(plan.run_dir / ROUTES_FILE),
        },
        "early_header_mutation_extensions": [strip.render(plan.unheard_headers)],
        "http_filters": filters.render(plan.limits),
        "local_reply_config": local_reply.render(plan.limits.max_body_bytes),
        "access_log": [_access_log() | _unlogged(plan)],
        **_identity(),
        **_strictness(),
        **_timeouts(plan.limits),
    }


def _unlogged(plan: Plan) -> dict[str, Any]:
    """What the router hears nothing of, as it decided nothing about it."""
    filters_ = [
        *([operations.unlogged()] if plan.operations else []),
        *([background.unlogged()] if plan.files_socket else []),
    ]
    if len(filters_) < 2:
        return {"filter": filters_[0]} if filters_ else {}
    return {"filter": {"and_filter": {"filters": filters_}}}


def _identity() -> dict[str, Any]:
    """Who the client is, and one id a request: ours, since outcomes are matched by it."""
    return {
        "use_remote_address": True,
        # No address is internal: x-envoy-* and x-request-id of clients on private networks mean nothing.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "generate_request_id": True,
        "preserve_external_request_id": False,
        "always_set_request_id_in_response": True,
    }


def _strictness() -> dict[str, Any]:
    """One reading of a request only: what is ambiguous is refused."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        # Before anything looks at the path: a model's name may hold a slash, which clients escape.
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "max_request_headers_kb": 64,
        "common_http_protocol_options": {
            "idle_timeout": "900s",
            "max_headers_count": 128,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http_protocol_options": {"allow_chunked_length": False, "accept_http_10": False},
        "http2_protocol_options": {
            "max_concurrent_streams": 256,
            "initial_stream_window_size": 256 << 10,
            "initial_connection_window_size": 1 << 20,
        },
    }


def _timeouts(limits: Limits) -> dict[str, Any]:
    return {
        "stream_idle_timeout": f"{limits.stream_idle_timeout_s:.3f}s",
        "request_timeout": "0s",
        "request_headers_timeout": "10s",
    }


def _access_log() -> dict[str, Any]:
    """Batches to the router: five a second, or 64 KiB."""
    common = {
        "log_name": "pointsman",
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": ACCESS_LOG_CLUSTER}},
        "buffer_flush_interval": f"{ACCESS_LOG_FLUSH_S}s",
        "buffer_size_bytes": 64 << 10,
    }
    config = {
        "@type": _ACCESS_LOG,
        "common_config": common,
        "additional_request_headers_to_log": [names.SELECTED_MODEL, names.POOL],
    }
    return {"name": "envoy.access_loggers.http_grpc", "typed_config": config}
