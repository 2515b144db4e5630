"""The floor: the same Envoy binary over the same engines, with nothing but its router filter."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pointsman.transports.envoy import binary
from support.gateway import Engine, eventually, free_port, http

_TYPE = "type.googleapis.com/envoy.extensions.filters"


def _configuration(port: int, engines: list[Engine]) -> dict[str, Any]:
    hosts = [
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": engine.port}}}}
        for engine in engines
    ]
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "engines", "timeout": "0s"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "plain",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    cluster = {
        "name": "engines",
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {"cluster_name": "engines", "endpoints": [{"lb_endpoints": hosts}]},
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


@contextmanager
def plain_envoy(engines: list[Engine]) -> Iterator[tuple[str, int]]:
    """Its URL and process id."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "envoy.json"
        config.write_text(json.dumps(_configuration(port, engines)))
        command = [
            str(binary.find(None, os.environ)),
            "-c",
            str(config),
            "--disable-hot-restart",
            "-l",
            "error",
        ]
        child = subprocess.Popen(command)
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return http(f"{url}/health").status == 200
            except OSError:
                return False

        try:
            eventually("the plain Envoy serving", answers)
            yield url, child.pid
        finally:
            child.terminate()
            child.wait()
