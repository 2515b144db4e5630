"""Pods or endpoint slices of one namespace as a source."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from pointsman.config.replicas import KubernetesReplicas
from pointsman.core.endpoint import Endpoint, Role
from pointsman.fleet.discovery.backoff import Backoff
from pointsman.fleet.discovery.kube_client import KubeClient
from pointsman.fleet.discovery.kube_objects import EndpointSlice, Pod
from pointsman.fleet.discovery.pods import Reading, from_pods
from pointsman.fleet.discovery.reflector import Reflector, Watching
from pointsman.fleet.discovery.slices import from_slices
from pointsman.fleet.discovery.source import Publish, Report

_SERVICE_LABEL = "kubernetes.io/service-name"


class KubernetesSource:
    """Follows what the API server knows; while it does not answer, what was known stays."""

    def __init__(
        self,
        name: str,
        replicas: KubernetesReplicas,
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

    async def run(self, publish: Publish) -> None:
        """List, watch, list again."""
        reading = _reading(self._replicas)

        def pods(found: Mapping[str, Pod]) -> None:
            publish(from_pods(found.values(), reading))

        def slices(found: Mapping[str, EndpointSlice]) -> None:
            publish(self._bounded(from_slices(found.values(), reading)))

        if self._replicas.kind == "pods":
            watched = self._watching("/api/v1", "pods")
            await Reflector(self._client, Pod, watched, pods, source=self.name, report=self._report).run()
        watched = self._watching("/apis/discovery.k8s.io/v1", "endpointslices")
        await Reflector(
            self._client, EndpointSlice, watched, slices, source=self.name, report=self._report
        ).run()

    def _watching(self, api: str, kind: str) -> Watching:
        replicas = self._replicas
        namespace = quote(replicas.namespace or self._client.access.namespace)
        service = f"{_SERVICE_LABEL}={replicas.service}" if replicas.service else ""
        selector = ",".join(filter(None, (replicas.selector, service)))
        return Watching(
            path=f"{api}/namespaces/{namespace}/{kind}",
            query={"labelSelector": selector} if selector else {},
            most=self._most,
            relist_s=replicas.relist_interval,
            backoff=self._backoff,
        )

    def _bounded(self, found: Iterable[Endpoint]) -> Iterator[Endpoint]:
        for count, endpoint in enumerate(found):
            if count >= self._most:
                return
            yield endpoint


def _reading(replicas: KubernetesReplicas) -> Reading:
    return Reading(
        ports=(replicas.port,),
        model=replicas.model,
        serves=frozenset(replicas.serves),
        role=Role(replicas.role),
        labels=dict(replicas.labels),
        models_key=replicas.models_key,
        role_key=replicas.role_key,
    )
