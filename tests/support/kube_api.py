"""A Kubernetes API server for tests: list and watch as the real one does them, and faults on demand."""

import asyncio
import contextlib
import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

Object = dict[str, Any]


@dataclass
class Faults:
    """What goes wrong; everything is off at first."""

    status: int = 0
    """Answer every request with this status."""
    slow_s: float = 0.0
    """Wait so long before every answer."""
    half_open: bool = False
    """Watches stay open and say nothing, not even bookmarks."""
    drop_deletions: bool = False
    """Watches never tell of deletions."""
    close_at_once: bool = False
    """Watches end as soon as they have begun."""
    garbage: bool = False
    """Watches send what is no JSON."""
    hang: bool = False
    """Requests are accepted and never answered."""


@dataclass
class _Event:
    version: int
    type: str
    path: str
    before: Object | None
    after: Object | None


@dataclass
class KubeApi:
    """``async with``. Collections are paths such as ``/api/v1/namespaces/default/pods``."""

    bookmark_s: float = 0.05
    faults: Faults = field(default_factory=Faults)
    requests: list[tuple[str, dict[str, str], Mapping[str, str]]] = field(default_factory=list)
    """Path, query and headers of everything asked."""

    def __post_init__(self) -> None:
        self._version = 1000
        self._objects: dict[str, dict[str, Object]] = defaultdict(dict)
        self._log: list[_Event] = []
        self._forgotten = 0
        self._changed = asyncio.Event()
        self._watches: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        self.port = 0
        self._uids = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def watching(self) -> int:
        return len(self._watches)

    def lists(self) -> int:
        return sum(1 for _, query, _ in self.requests if "watch" not in query)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, at the same port as before."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections; what is open is closed."""
        self.close_watches()
        if self._runner is not None:
            server = self._runner.server
            await self._runner.cleanup()
            self._runner = None
            # A connection accepted a moment ago gets its handler only now, when nobody would close it.
            await asyncio.sleep(0)
            for each in server.connections if server is not None else ():
                if each.transport is not None:
                    each.transport.abort()
            await asyncio.sleep(0)

    def put(self, path: str, item: Object) -> None:
        """Create or replace an object."""
        name = item["metadata"]["name"]
        before = self._objects[path].get(name)
        self._version += 1
        meta = {"uid": f"u{next(self._uids)}", **item["metadata"], "resourceVersion": str(self._version)}
        after = {**item, "metadata": meta}
        self._objects[path][name] = after
        self._tell(_Event(self._version, "ADDED" if before is None else "MODIFIED", path, before, after))

    def delete(self, path: str, name: str) -> None:
        """Remove an object, if it is there."""
        before = self._objects[path].pop(name, None)
        if before is not None:
            self._version += 1
            meta = {**before["metadata"], "resourceVersion": str(self._version)}
            self._tell(_Event(self._version, "DELETED", path, {**before, "metadata": meta}, None))

    def names(self, path: str) -> set[str]:
        return set(self._objects[path])

    def objects(self, path: str) -> list[Object]:
        return [*self._objects[path].values()]

    def compact(self) -> None:
        """Forget the past: watches from before now get a 410."""
        self._log.clear()
        self._version += 1
        self._forgotten = self._version

    def close_watches(self) -> None:
        """End every watch without a word."""
        for closing in self._watches:
            closing.set()
        self._wake()

    def _tell(self, event: _Event) -> None:
        self._log.append(event)
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.requests.append((request.path, query, request.headers))
        if self.faults.hang:
            await asyncio.sleep(3600)
        if self.faults.slow_s:
            await asyncio.sleep(self.faults.slow_s)
        if self.faults.status:
            return _status(self.faults.status)
        if query.get("watch") == "true":
            return await self._watch(request, query)
        return self._list(request.path, query)

    def _list(self, path: str, query: Mapping[str, str]) -> web.Response:
        matches = _selector(query)
        items = sorted(
            (item for item in self._objects[path].values() if matches(item)),
            key=lambda item: item["metadata"]["name"],
        )
        after = query.get("continue", "")
        items = [item for item in items if item["metadata"]["name"] > after]
        limit = int(query.get("limit", "0")) or len(items)
        meta = {"resourceVersion": str(self._version)}
        if len(items) > limit:
            meta["continue"] = items[limit - 1]["metadata"]["name"]
        return web.json_response({"kind": "List", "metadata": meta, "items": items[:limit]})

    async def _watch(self, request: web.Request, query: Mapping[str, str]) -> web.StreamResponse:
        version = int(query.get("resourceVersion") or 0)
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        closing = asyncio.Event()
        self._watches.add(closing)
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(float(query.get("timeoutSeconds", "1800"))):
                    async for event in self._events(request.path, query, version, closing):
                        await response.write(event)
        finally:
            self._watches.discard(closing)
        return response

    async def _events(
        self, path: str, query: Mapping[str, str], version: int, closing: asyncio.Event
    ) -> AsyncIterator[bytes]:
        matches, bookmarks = _selector(query), query.get("allowWatchBookmarks") == "true"
        while not closing.is_set() and not self.faults.close_at_once:
            changed, told = self._changed, self._version
            if self.faults.garbage:
                yield b"{this is no JSON\n"
            if not self.faults.half_open:
                if version < self._forgotten:
                    yield _line(
                        "ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
                    )
                    return
                for event in [one for one in self._log if one.version > version and one.path == path]:
                    version = event.version
                    if line := self._translated(event, matches):
                        yield line
            try:
                async with asyncio.timeout(self.bookmark_s):
                    await changed.wait()
            except TimeoutError:
                if bookmarks and not self.faults.half_open:
                    # Not the present version: what came since has not been told.
                    version = max(version, told)
                    yield _line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})

    def _translated(self, event: _Event, matches: Callable[[Object], bool]) -> bytes:
        """What a watch with a selector sees: leaving the selection is a deletion, entering it an addition."""
        before = event.before is not None and matches(event.before)
        after = event.after is not None and matches(event.after)
        if after:
            return _line("MODIFIED" if before else "ADDED", event.after or {})
        if before and not self.faults.drop_deletions:
            gone = event.before or {}
            meta = {**gone["metadata"], "resourceVersion": str(event.version)}
            return _line("DELETED", {**gone, "metadata": meta})
        return b""


def _line(kind: str, item: Object) -> bytes:
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def _status(code: int) -> web.Response:
    return web.json_response(
        {"kind": "Status", "code": code, "reason": "Fault", "message": "as told"}, status=code
    )


def _selector(query: Mapping[str, str]) -> Callable[[Object], bool]:
    wanted = dict(term.split("=", 1) for term in query.get("labelSelector", "").split(",") if term)
    fields = dict(term.split("=", 1) for term in query.get("fieldSelector", "").split(",") if term)

    def matches(item: Object) -> bool:
        meta = item["metadata"]
        labels = meta.get("labels", {})
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            key == "metadata.name" and meta["name"] == value for key, value in fields.items()
        )

    return matches


def pod(
    name: str,
    ip: str,
    *,
    ready: bool = True,
    leaving: bool = False,
    phase: str = "Running",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    ports: Mapping[str, int] | None = None,
) -> Object:
    """A pod as the API shows it, with a few of the fields nobody here reads."""
    meta: Object = {
        "name": name,
        "namespace": "default",
        "labels": {"app": "vllm", **(labels or {})},
        "annotations": dict(annotations or {}),
        "managedFields": [{"manager": "kubelet"}],
    }
    if leaving:
        meta["deletionTimestamp"] = "2026-11-24T00:00:00Z"
    container = {
        "name": "vllm",
        "image": "vllm",
        "ports": [{"name": key, "containerPort": value} for key, value in (ports or {}).items()],
    }
    condition = {"type": "Ready", "status": "True" if ready else "False", "lastProbeTime": None}
    status: Object = {"phase": phase, "conditions": [condition], "hostIP": "10.1.0.1"}
    if ip:
        status |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container]},
        "status": status,
    }


def endpoint_slice(
    name: str, service: str, addresses: Mapping[str, Mapping[str, bool | None]], port: int = 8000
) -> Object:
    """An endpoint slice: conditions by address."""
    return {
        "kind": "EndpointSlice",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv6" if any(":" in address for address in addresses) else "IPv4",
        "endpoints": [
            {
                "addresses": [address],
                "conditions": dict(conditions),
                "targetRef": {"kind": "Pod", "name": f"p-{address}"},
            }
            for address, conditions in addresses.items()
        ],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def inference_pool(name: str, labels: Mapping[str, str], ports: list[int], *, alpha: bool = False) -> Object:
    """An InferencePool of v1, or of v1alpha2."""
    spec: Object = (
        {"selector": dict(labels), "targetPortNumber": ports[0]}
        if alpha
        else {"selector": {"matchLabels": dict(labels)}, "targetPorts": [{"number": port} for port in ports]}
    )
    return {"kind": "InferencePool", "metadata": {"name": name}, "spec": spec}
