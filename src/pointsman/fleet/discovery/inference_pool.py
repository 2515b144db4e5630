"""The pods of an InferencePool: the object says which, and the pods are followed like any others."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from urllib.parse import quote

from pointsman.config.replicas import InferencePoolReplicas
from pointsman.core.endpoint import Role
from pointsman.fleet.discovery.backoff import Backoff
from pointsman.fleet.discovery.kube_client import KubeClient
from pointsman.fleet.discovery.kube_objects import InferencePool, Pod, PoolSpec
from pointsman.fleet.discovery.pods import Reading, from_pods
from pointsman.fleet.discovery.reflector import Object, Reflector, Watching
from pointsman.fleet.discovery.source import Publish, Report

_VERSIONS = {"inference.networking.k8s.io": "v1", "inference.networking.x-k8s.io": "v1alpha2"}


class InferencePoolSource:
    """Follows one InferencePool, and the pods it selects."""

    def __init__(
        self,
        name: str,
        replicas: InferencePoolReplicas,
        client: KubeClient,
        report: Report,
        *,
        most: int = 4096,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._replicas = replicas
        self._client = client
        self._report = report
        self._most = most
        self._backoff = backoff or Backoff()
        self._changed = asyncio.Event()
        self._spec: PoolSpec | None = None
        self._known = False

    async def run(self, publish: Publish) -> None:
        """The pool and its pods, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pool().run())
            group.create_task(self._pods(publish))

    def _pool(self) -> Reflector[InferencePool]:
        replicas = self._replicas
        path = (
            f"/apis/{replicas.group}/{_VERSIONS[replicas.group]}/namespaces/{self._namespace}/inferencepools"
        )
        query = {"fieldSelector": f"metadata.name={replicas.name}"}
        return self._reflector(InferencePool, path, query, self._see)

    def _see(self, pools: Mapping[str, InferencePool]) -> None:
        pool = pools.get(self._replicas.name)
        spec = pool.spec if pool is not None else None
        if spec != self._spec or not self._known:
            self._spec, self._known = spec, True
            self._changed.set()

    async def _pods(self, publish: Publish) -> None:
        """Follow the pods of the present selector; a new one starts over."""
        following: asyncio.Task[None] | None = None
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                if following is not None:
                    await _cancelled(following)
                    following = None
                if self._spec is None or not self._spec.labels or not self._spec.ports:
                    publish(())
                    continue
                following = asyncio.create_task(self._follow(self._spec, publish))
        finally:
            if following is not None:
                await _cancelled(following)

    async def _follow(self, spec: PoolSpec, publish: Publish) -> None:
        replicas = self._replicas
        reading = Reading(
            ports=spec.ports,
            model=replicas.model,
            serves=frozenset(replicas.serves),
            role=Role(replicas.role),
            labels=dict(replicas.labels),
            models_key=replicas.models_key,
            role_key=replicas.role_key,
        )

        def pods(found: Mapping[str, Pod]) -> None:
            publish(from_pods(found.values(), reading))

        selector = ",".join(f"{key}={value}" for key, value in sorted(spec.labels.items()))
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        await self._reflector(Pod, path, {"labelSelector": selector}, pods).run()

    @property
    def _namespace(self) -> str:
        return quote(self._replicas.namespace or self._client.access.namespace)

    def _reflector(
        self,
        kind: type[Object],
        path: str,
        query: Mapping[str, str],
        on_change: Callable[[Mapping[str, Object]], None],
    ) -> Reflector[Object]:
        watching = Watching(path, query, self._most, self._replicas.relist_interval, self._backoff)
        return Reflector(self._client, kind, watching, on_change, source=self.name, report=self._report)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
