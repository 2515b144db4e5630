"""Pods as replicas. Pure."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pointsman.core.endpoint import Endpoint, Health, Role
from pointsman.fleet.discovery.kube_objects import Pod
from pointsman.fleet.discovery.static import join

_ENDED = frozenset({"Succeeded", "Failed"})
_MAX_NAMES = 512


class Reading(msgspec.Struct, frozen=True):
    """How pods and slices become replicas."""

    ports: tuple[int | str, ...]
    model: str = ""
    serves: frozenset[str] = frozenset()
    role: Role = Role.BOTH
    labels: Mapping[str, str] = {}
    models_key: str = ""
    role_key: str = ""


def from_pods(pods: Iterable[Pod], reading: Reading) -> Iterator[Endpoint]:
    """A replica for every port of every pod that has an address; pods that have ended have none."""
    for pod in pods:
        if pod.status.pod_ip and pod.status.phase not in _ENDED:
            yield from _replicas(pod, reading)


def _replicas(pod: Pod, reading: Reading) -> Iterator[Endpoint]:
    meta = pod.metadata
    for wanted in reading.ports:
        port = _port(pod, wanted)
        if port:
            yield Endpoint(
                join(pod.status.pod_ip, port),
                reading.model,
                models=reading.serves or names_in(meta.value(reading.models_key)),
                role=role_in(meta.value(reading.role_key), reading.role),
                labels={**(meta.labels or {}), **reading.labels},
                health=_health(pod),
                name=meta.name if len(reading.ports) == 1 else f"{meta.name}:{port}",
            )


def _health(pod: Pod) -> Health:
    """What the kubelet says: readiness is its probes' verdict, deletion begins before they notice."""
    if pod.metadata.deletion_timestamp:
        return Health.DRAINING
    ready = any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions or ())
    return Health.READY if ready else Health.DOWN


def _port(pod: Pod, wanted: int | str) -> int:
    """The number of a port; 0 when no container has one of that name."""
    if isinstance(wanted, int):
        return wanted
    containers = (*(pod.spec.containers or ()), *(pod.spec.init_containers or ()))
    named = (port for container in containers for port in container.ports or () if port.name == wanted)
    return next((port.container_port for port in named), 0)


def names_in(text: str) -> frozenset[str]:
    """Names separated by commas."""
    names = (name.strip() for name in text.split(",", _MAX_NAMES)[:_MAX_NAMES])
    return frozenset(name for name in names if name)


def role_in(text: str, otherwise: Role) -> Role:
    """A role by its name; names we do not know mean what the document says."""
    return next((role for role in Role if role.value == text.strip().lower()), otherwise)
