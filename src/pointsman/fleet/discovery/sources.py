"""The sources a document asks for."""

from collections.abc import Iterator, Mapping

from pointsman.config import Settings
from pointsman.fleet.discovery.dns import DnsSource
from pointsman.fleet.discovery.dns_client import DnsClient, read_resolv
from pointsman.fleet.discovery.inference_pool import InferencePoolSource
from pointsman.fleet.discovery.kube_access import access
from pointsman.fleet.discovery.kube_client import KubeClient
from pointsman.fleet.discovery.kubernetes import KubernetesSource
from pointsman.fleet.discovery.source import Report, Source
from pointsman.fleet.discovery.static import StaticSource, written_endpoints


def sources_of(settings: Settings, env: Mapping[str, str], report: Report) -> tuple[Source, ...]:
    """All of them, named by their keys; ``StartError`` when the Kubernetes API is wanted and not known."""
    return (
        StaticSource(tuple(written_endpoints(settings)), report),
        *_by_name(settings, report),
        *_of_kubernetes(settings, env, report),
    )


def _by_name(settings: Settings, report: Report) -> Iterator[Source]:
    if settings.fleet.dns:
        client = DnsClient(read_resolv())
        for index, replicas in enumerate(settings.fleet.dns):
            yield DnsSource(f"dns[{index}]", replicas, client, report, most=settings.fleet.max_replicas)


def _of_kubernetes(settings: Settings, env: Mapping[str, str], report: Report) -> Iterator[Source]:
    fleet = settings.fleet
    if not fleet.kubernetes and not fleet.inference_pools:
        return
    client = KubeClient(access(fleet.kubernetes_api, env), idle_s=fleet.kubernetes_api.idle_timeout)
    for index, replicas in enumerate(fleet.kubernetes):
        yield KubernetesSource(f"kubernetes[{index}]", replicas, client, report, most=fleet.max_replicas)
    for index, pool in enumerate(fleet.inference_pools):
        yield InferencePoolSource(f"inference_pools[{index}]", pool, client, report, most=fleet.max_replicas)
