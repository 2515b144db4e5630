"""Configuration files that a running Envoy follows.

Envoy notices renames only, which is what makes a replacement atomic: a temporary file in the watched
directory, then ``os.replace``. Effective after a few milliseconds; running streams survive any change.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pointsman.transports.envoy import bootstrap, clusters, listener, routes
from pointsman.transports.envoy.plan import Plan, Pool

_TYPE = "type.googleapis.com/envoy.config."
BOOTSTRAP_FILE = "bootstrap.json"


class FileConfig:
    """The files of one Envoy process, in ``run_dir``. Not safe for concurrent use."""

    def __init__(self, run_dir: Path) -> None:
        self._dir = run_dir
        self._version = 0
        self._changes = 0
        """Endpoint files written."""
        self._pools: dict[str, Pool] = {}
        self._written: dict[str, object] = {}
        self._bootstrap: dict[str, Any] | None = None

    def keeps(self, plan: Plan) -> bool:
        """Whether ``update`` can bring ``plan`` about; otherwise (a listener, a limit) it takes a restart."""
        return self._bootstrap == bootstrap.render(plan)

    @property
    def version(self) -> str:
        """Version of the last write, as Envoy reports it in ``version_text`` once applied."""
        return str(self._version)

    def write(self, plan: Plan) -> Path:
        """Everything, for a process about to start; returns the bootstrap's path."""
        path = self._dir / BOOTSTRAP_FILE
        self.update(plan)
        self._bootstrap = bootstrap.render(plan)
        self._replace(path.name, self._bootstrap)
        return path

    def update(self, plan: Plan) -> None:
        """Pools, endpoints and routes, while Envoy runs.

        Endpoints go before the clusters that read them, clusters before the routes that name them. For the
        same reason a pool that is gone stays a cluster until the next update: its route goes first.
        """
        self._version += 1
        current = {pool.name: pool for pool in plan.pools}
        retired = [pool for name, pool in self._pools.items() if name not in current]
        known = [*plan.pools, *retired]
        for pool in known:
            if clusters.by_file(pool):
                self._endpoints(pool)
        self._resources(
            bootstrap.CLUSTERS_FILE, "cluster.v3.Cluster", [clusters.render(pool, plan) for pool in known]
        )
        self._resources(listener.ROUTES_FILE, "route.v3.RouteConfiguration", [routes.render(plan)])
        self._forget({clusters.endpoints_file(pool) for pool in known})
        self._pools = current

    def follow(self, pools: Iterable[Pool]) -> int:
        """New endpoints of pools that Envoy knows already, nothing else; how many pools changed.

        A pool whose endpoints are no addresses is left as it is: Envoy resolves those.
        """
        known = (pool for pool in pools if pool.name in self._pools and clusters.by_file(pool))
        return sum(map(self._endpoints, known))

    def _endpoints(self, pool: Pool) -> bool:
        """Written only when changed: most updates touch the endpoints of one pool."""
        name, resource = clusters.endpoints_file(pool), clusters.assignment(pool)
        changed = self._written.get(name) != resource
        if changed:
            self._changes += 1
            version = f"{self.version}.{self._changes}"
            self._resources(name, "endpoint.v3.ClusterLoadAssignment", [resource], version)
            self._written[name] = resource
        return changed

    def _forget(self, kept: set[str]) -> None:
        for name in self._written.keys() - kept:
            (self._dir / name).unlink(missing_ok=True)
            del self._written[name]

    def _resources(
        self, name: str, kind: str, resources: Iterable[Mapping[str, Any]], version: str = ""
    ) -> None:
        typed = [{"@type": _TYPE + kind, **resource} for resource in resources]
        self._replace(name, {"version_info": version or self.version, "resources": typed})

    def _replace(self, name: str, document: Mapping[str, Any]) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._dir, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(document, file)
            Path(temporary).replace(self._dir / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
