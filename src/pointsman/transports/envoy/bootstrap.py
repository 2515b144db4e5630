"""The part of the configuration that stays for the life of an Envoy process."""

from pathlib import Path
from typing import Any

from pointsman.transports.envoy import background, clusters, filters, listener, operations, routes
from pointsman.transports.envoy.plan import Plan
from pointsman.transports.wire import contract

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_MAX_CONNECTIONS = (
    "type.googleapis.com/envoy.extensions.resource_monitors."
    "downstream_connections.v3.DownstreamConnectionsConfig"
)
CLUSTERS_FILE = "cds.json"


def render(plan: Plan) -> dict[str, Any]:
    """The ``Bootstrap`` document."""
    return {
        "node": {"id": "pointsman", "cluster": "pointsman"},
        "admin": {"address": {"pipe": {"path": str(plan.admin_socket)}}, "ignore_global_conn_limit": True},
        "dynamic_resources": {"cds_config": clusters.file_source(plan.run_dir / CLUSTERS_FILE)},
        "static_resources": {
            "listeners": [listener.render(each, plan) for each in plan.listeners],
            "clusters": [
                _local(filters.EXTPROC_CLUSTER, plan.extproc_socket),
                _local(filters.ANSWERS_CLUSTER, plan.extproc_socket),
                _local(listener.ACCESS_LOG_CLUSTER, plan.accesslog_socket),
                {"name": contract.UNDECIDED_CLUSTER, "type": "STATIC", "connect_timeout": "1s"},
                *([operations.cluster(plan.operations)] if plan.operations else []),
                *([background.cluster(plan.files_socket)] if plan.files_socket else []),
            ],
        },
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": _MAX_CONNECTIONS,
                        "max_active_downstream_connections": plan.limits.max_connections,
                    },
                }
            ]
        },
    }


def self_contained(plan: Plan) -> dict[str, Any]:
    """The same with clusters, endpoints and routes in place, for Envoy's own checks (``binary.validate``)."""
    document = render(plan)
    del document["dynamic_resources"]
    static = document["static_resources"]
    for each in static["listeners"]:
        manager = each["filter_chains"][0]["filters"][0]["typed_config"]
        del manager["rds"]
        manager["route_config"] = {**routes.render(plan), "validate_clusters": True}
    for pool in plan.pools:
        cluster = clusters.render(pool, plan)
        if cluster.pop("eds_cluster_config", None):
            cluster |= {"type": "STATIC", "load_assignment": clusters.assignment(pool)}
        static["clusters"].append(cluster)
    return document


def _local(name: str, socket: Path) -> dict[str, Any]:
    """A gRPC server of ours. It may be down at any time, so failures are quick and nothing is ejected."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    threshold = {"max_connections": 1024, "max_pending_requests": 65536, "max_requests": 65536}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [threshold]},
        "typed_extension_protocol_options": {
            _HTTP: {
                "@type": f"type.googleapis.com/{_HTTP}",
                "explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 1000}},
            }
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
