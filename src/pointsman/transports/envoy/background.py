"""Files and batches: asked of an application of ours on a socket of its own, past every decision."""

from pathlib import Path
from typing import Any, Final

CLUSTER: Final = "pointsman-files"
PATHS: Final = ("/v1/files", "/v1/batches")

_PER_ROUTE = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def routes() -> list[dict[str, Any]]:
    """One for each path and all below it. Bodies pass as they come: the application bounds them."""
    return [
        {
            "name": f"{CLUSTER}{path}",
            "match": {"path_separated_prefix": path},
            "route": {"cluster": CLUSTER, "timeout": "0s"},
            "typed_per_filter_config": {
                "envoy.filters.http.ext_proc": {"@type": _PER_ROUTE, "disabled": True}
            },
        }
        for path in PATHS
    ]


def cluster(socket: Path) -> dict[str, Any]:
    """The application. It may be down at any time: then its paths are a 503."""
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(socket)}}}}
    return {
        "name": CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [{"max_connections": 256, "max_requests": 256}]},
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def unlogged() -> dict[str, Any]:
    """An access-log filter that leaves them out: nothing was decided about them."""
    pattern = f"^({'|'.join(PATHS)})([/?].*)?$"
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": pattern}}, "invert_match": True}
    return {"header_filter": {"header": path}}
