"""Replicas behind a host name, followed as its records change."""

import asyncio
from typing import Protocol

from pointsman.config.replicas import DnsReplicas
from pointsman.core.endpoint import Endpoint, Role
from pointsman.fleet.discovery.backoff import Backoff, around
from pointsman.fleet.discovery.dns_client import LookupFailed
from pointsman.fleet.discovery.dns_wire import Answer, Kind
from pointsman.fleet.discovery.source import Change, Event, Publish, Report
from pointsman.fleet.discovery.static import join

_SHORTEST_S = 1.0
"""No name is resolved more often, whatever its time to live."""
_SURE = 2
"""Answers in a row that a name has no records until its replicas are gone: servers restart, too."""
_MAX_TARGETS = 64
"""SRV targets followed that came without their addresses."""


class Resolver(Protocol):
    """See ``DnsClient``."""

    async def ask(self, host: str, kind: Kind) -> Answer:
        """``LookupFailed`` when no server could say."""


class DnsSource:
    """Asks when the records expire, and at least once an interval; failures keep what is known."""

    def __init__(
        self, name: str, replicas: DnsReplicas, resolver: Resolver, report: Report, *, most: int = 4096
    ) -> None:
        self.name = name
        self._replicas = replicas
        self._resolver = resolver
        self._report = report
        self._most = most
        self._had: set[tuple[str, Kind]] = set()
        """Which kinds of addresses each host had when last asked."""
        self._backoff = Backoff(first_s=_SHORTEST_S, limit_s=max(replicas.interval, _SHORTEST_S))

    async def run(self, publish: Publish) -> None:
        """Resolve for ever."""
        failures = empty = 0
        while True:
            try:
                found, ttl_s = await self._resolve()
            except (LookupFailed, ValueError) as error:
                failures += 1
                self._report(Event(self.name, Change.FAILED, str(error)))
                await asyncio.sleep(self._backoff.delay_s(failures))
                continue
            failures = 0
            empty = 0 if found else empty + 1
            self._report(Event(self.name, Change.SYNCED))
            if found or empty >= _SURE:
                publish(self._endpoints(found))
            wait_s = min(self._replicas.interval, ttl_s) if found or empty >= _SURE else _SHORTEST_S
            await asyncio.sleep(max(min(_SHORTEST_S, self._replicas.interval), around(wait_s, 0.1)))

    async def _resolve(self) -> tuple[frozenset[tuple[str, int]], float]:
        if self._replicas.record == "srv":
            return await self._services()
        hosts, ttl_s = await self._addresses(self._replicas.host)
        return frozenset((host, self._replicas.port or 0) for host in hosts), ttl_s

    async def _services(self) -> tuple[frozenset[tuple[str, int]], float]:
        """SRV records, with the addresses that came along, or asked for where they did not."""
        told = await self._resolver.ask(self._replicas.host, Kind.SRV)
        targets = [record for record in told.records if record.kind is Kind.SRV and record.value]
        found, ttl_s = set[tuple[str, int]](), self._replicas.interval
        for target in targets[: self._most]:
            ttl_s = min(ttl_s, target.ttl_s)
            hosts = {
                record.value
                for record in told.records
                if record.kind in {Kind.A, Kind.AAAA} and record.name == target.value
            }
            if not hosts and len(found) < _MAX_TARGETS:
                hosts, lasting_s = await self._addresses(f"{target.value}.")
                ttl_s = min(ttl_s, lasting_s)
            found |= {(host, target.port) for host in hosts}
        return frozenset(found), ttl_s

    async def _addresses(self, host: str) -> tuple[set[str], float]:
        """IPv4 and IPv6. A kind that cannot be had matters only where there were such addresses before."""
        found, ttl_s = set[str](), self._replicas.interval
        trouble: LookupFailed | None = None
        for kind in (Kind.A, Kind.AAAA):
            try:
                told = await self._resolver.ask(host, kind)
            except LookupFailed as error:
                if (host, kind) in self._had:
                    raise
                trouble = error
                continue
            records = [record for record in told.records if record.kind is kind]
            (self._had.add if records else self._had.discard)((host, kind))
            found |= {record.value for record in records}
            ttl_s = min((ttl_s, *(float(record.ttl_s) for record in records)))
        if trouble is not None and not found:
            raise trouble
        return found, ttl_s

    def _endpoints(self, found: frozenset[tuple[str, int]]) -> tuple[Endpoint, ...]:
        kept = sorted(found)
        if len(kept) > self._most:
            self._report(Event(self.name, Change.TRUNCATED, f"{len(kept)} addresses, {self._most} are kept"))
        replicas = self._replicas
        return tuple(
            Endpoint(
                join(host, port),
                replicas.model,
                models=frozenset(replicas.serves),
                role=Role(replicas.role),
                labels=dict(replicas.labels),
                name=f"{replicas.host}/{host}",
            )
            for host, port in kept[: self._most]
        )
