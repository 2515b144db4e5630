"""Endpoint slices as replicas. Pure."""

from collections.abc import Iterable, Iterator

from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.discovery.kube_objects import EndpointSlice, SliceConditions, SliceEndpoint
from pointsman.fleet.discovery.pods import Reading
from pointsman.fleet.discovery.static import join

_RANK = {Health.READY: 2, Health.DRAINING: 1, Health.DOWN: 0}


def from_slices(slices: Iterable[EndpointSlice], reading: Reading) -> Iterator[Endpoint]:
    """A replica for every address; one that moves between slices is in both, and the better one counts."""
    found: dict[str, Endpoint] = {}
    for one in slices:
        if one.address_type in {"IPv4", "IPv6"}:
            for replica in _replicas(one, reading):
                known = found.get(replica.address)
                if known is None or _RANK[replica.health] > _RANK[known.health]:
                    found[replica.address] = replica
    yield from found.values()


def _replicas(one: EndpointSlice, reading: Reading) -> Iterator[Endpoint]:
    for wanted in reading.ports:
        port = _port(one, wanted)
        for endpoint in one.endpoints or () if port else ():
            if endpoint.addresses:
                yield Endpoint(
                    join(endpoint.addresses[0], port),
                    reading.model,
                    models=reading.serves,
                    role=reading.role,
                    labels=dict(reading.labels),
                    health=_health(endpoint.conditions),
                    name=_name(endpoint),
                )


def _health(conditions: SliceConditions) -> Health:
    """What is not told counts as ready, as Kubernetes wants it."""
    if conditions.terminating:
        return Health.DRAINING if conditions.serving is not False else Health.DOWN
    return Health.DOWN if conditions.ready is False else Health.READY


def _port(one: EndpointSlice, wanted: int | str) -> int:
    """The slice's port of that name; a number is taken as it is where it is the pods' own."""
    if isinstance(wanted, int):
        return wanted
    return next((port.port or 0 for port in one.ports or () if port.name == wanted), 0)


def _name(endpoint: SliceEndpoint) -> str:
    if endpoint.target_ref is not None and endpoint.target_ref.name:
        return endpoint.target_ref.name
    return endpoint.addresses[0] if endpoint.addresses else ""
