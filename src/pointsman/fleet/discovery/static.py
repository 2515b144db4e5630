"""Replicas at fixed addresses: those of the document."""

import asyncio
from collections.abc import Iterator

from pointsman.config import Settings
from pointsman.config.providers import ProviderModel
from pointsman.config.replicas import StaticReplica
from pointsman.config.validate_replicas import left_to_us
from pointsman.core.endpoint import Endpoint, Role
from pointsman.fleet.discovery.source import Change, Event, Publish, Report


class StaticSource:
    """What the document writes down; it is published once and never changes."""

    name = "static"

    def __init__(self, endpoints: tuple[Endpoint, ...], report: Report) -> None:
        self.endpoints = endpoints
        self._report = report

    async def run(self, publish: Publish) -> None:
        """Publish, and wait to be cancelled."""
        publish(self.endpoints)
        self._report(Event(self.name, Change.SYNCED))
        await asyncio.get_running_loop().create_future()


def written_endpoints(settings: Settings) -> Iterator[Endpoint]:
    """Every replica at a fixed address: of ``backend_refs``, then of ``fleet.static``.

    A model with a host name or an encrypted connection among its backends is left out altogether: the data
    plane resolves and verifies those itself.
    """
    for model in settings.providers.models:
        if left_to_us(model):
            yield from _backends(model)
    yield from map(_replica, settings.fleet.static)


def _backends(model: ProviderModel) -> Iterator[Endpoint]:
    for ref in model.backend_refs:
        if ref.weight > 0:
            address = join(*ref.address)
            yield Endpoint(address, model.name, name=ref.name or address)


def _replica(replica: StaticReplica) -> Endpoint:
    return Endpoint(
        replica.address,
        replica.model,
        models=frozenset(replica.serves),
        role=Role(replica.role),
        labels=dict(replica.labels),
        name=replica.name or replica.address,
    )


def join(host: str, port: int) -> str:
    """``host:port``, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
