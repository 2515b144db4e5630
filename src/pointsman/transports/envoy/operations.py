"""Health and metrics where clients connect: asked of the management API, past every decision.

For probes and scrapers that know one port only, as those of the production stack's chart do.
"""

from typing import Any, Final

from pointsman.transports.envoy.plan import Host

CLUSTER: Final = "pointsman-operations"
PATHS: Final = ("/health", "/metrics")

_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def routes() -> list[dict[str, Any]]:
    """One for each path, for GET alone: anything else on these paths is a request like others."""
    return [
        {
            "name": f"{CLUSTER}{path}",
            "match": {"path": path, "headers": [_method()]},
            "route": {"cluster": CLUSTER, "timeout": "5s"},
            "typed_per_filter_config": {
                "envoy.filters.http.ext_proc": {"@type": _PER_ROUTE, "disabled": True}
            },
        }
        for path in PATHS
    ]


def cluster(api: Host) -> dict[str, Any]:
    """The management API."""
    socket = {"socket_address": {"address": api.address, "port_value": api.port}}
    endpoint = {"endpoint": {"address": socket}}
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def unlogged() -> dict[str, Any]:
    """An access-log filter that leaves them out: nothing was decided about them."""
    pattern = f"^({'|'.join(PATHS)})(\\?.*)?$"
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": pattern}}, "invert_match": True}
    others = [{"header_filter": {"header": header}} for header in (path, {**_method(), "invert_match": True})]
    return {"or_filter": {"filters": others}}


def _method() -> dict[str, Any]:
    return {"name": ":method", "string_match": {"exact": "GET"}}
