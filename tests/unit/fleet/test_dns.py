"""DNS as a source of replicas."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.replicas import DnsReplicas
from pointsman.core.endpoint import Endpoint
from pointsman.fleet.discovery.dns import DnsSource
from pointsman.fleet.discovery.dns_client import DnsClient, LookupFailed, Resolv, parse_resolv, read_resolv
from pointsman.fleet.discovery.dns_wire import Answer, Kind, MalformedAnswer, Record, answer, question
from pointsman.fleet.discovery.source import Change, Event
from support.dns_server import AAAA, SRV, A, DnsServer


def client(server: DnsServer, *, search: tuple[str, ...] = (), ndots: int = 1) -> DnsClient:
    return DnsClient(Resolv((("127.0.0.1", server.port),), search, ndots), timeout_s=0.2)


def ask(server: DnsServer, host: str, kind: Kind, **resolv: object) -> Answer:
    async def run() -> Answer:
        async with server:
            return await client(server, **resolv).ask(host, kind)  # type: ignore[arg-type]

    return asyncio.run(run())


@pytest.mark.parametrize("fault", ["", "truncate", "stranger"])
def test_addresses_come_with_their_time_to_live(fault: str) -> None:
    """Over UDP, over TCP where the answer is cut off, and past answers to questions nobody asked."""
    server = DnsServer({("vllm.svc", A): [("10.0.0.1", 0), ("10.0.0.2", 0)]}, ttl_s=7)
    if fault:
        setattr(server, fault, True)
    found = ask(server, "vllm.svc", Kind.A)
    assert [(record.value, record.ttl_s) for record in found.records] == [("10.0.0.1", 7), ("10.0.0.2", 7)]


def test_short_names_are_searched() -> None:
    """As the system resolver does: below ndots the search list comes first."""
    server = DnsServer({("vllm.ns.svc.local", A): [("10.0.0.1", 0)]})
    found = ask(server, "vllm", Kind.A, search=("ns.svc.local", "svc.local"), ndots=5)
    assert [record.value for record in found.records] == ["10.0.0.1"]
    assert server.asked == [("vllm.ns.svc.local", A)]


def test_a_server_that_cannot_say_is_not_believed() -> None:
    """SERVFAIL and silence are failures; only NXDOMAIN means that there is no such name."""
    with pytest.raises(LookupFailed, match="code 2"):
        ask(DnsServer(rcode={A: 2}), "vllm.svc", Kind.A)
    with pytest.raises(LookupFailed):
        ask(DnsServer(silent=True), "vllm.svc", Kind.A)
    assert ask(DnsServer(), "vllm.svc", Kind.A).absent


def test_resolv_conf_is_read(tmp_path: Path) -> None:
    """Servers, search list and ndots; a file that is missing means the local server."""
    lines = ["# no", "nameserver 10.96.0.10", "search a.b c.d.", "options timeout:2 ndots:5", "nameserver"]
    assert parse_resolv(lines) == Resolv((("10.96.0.10", 53),), ("a.b", "c.d"), 5)
    assert read_resolv(tmp_path / "none") == Resolv()
    assert Resolv(search=("x",)).names("a.b.") == ("a.b.",)


@given(st.binary(max_size=600), st.booleans())
def test_no_bytes_break_the_reader(tail: bytes, answers: bool) -> None:
    """Whatever a server sends is an answer or malformed, never a crash or an endless loop."""
    asked = question(7, "vllm.svc", Kind.SRV)
    header = asked[:2] + b"\x81\x80\x00\x01\xff\xff\x00\x00\x00\x00" + asked[12:] if answers else b""
    with contextlib.suppress(MalformedAnswer):
        answer(header + tail, asked)


def test_a_name_that_refers_to_itself_is_malformed() -> None:
    """Compression loops end."""
    asked = question(7, "a.b", Kind.A)
    message = asked[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + asked[12:]
    message += bytes([0xC0, len(message)]) + b"\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x7f\x00\x00\x01"
    with pytest.raises(MalformedAnswer, match="itself"):
        answer(message, asked)


class Scripted:
    """A resolver that answers from a script; the last entry is repeated."""

    def __init__(self, *rounds: dict[Kind, list[Record] | None]) -> None:
        self._rounds = [*rounds]
        self.asked = 0

    async def ask(self, host: str, kind: Kind) -> Answer:
        self.asked += 1
        current = self._rounds[0]
        if kind is not Kind.A and len(self._rounds) > 1:
            self._rounds.pop(0)
        records = current.get(kind, [])
        if records is None:
            raise LookupFailed(host)
        return Answer(0, truncated=False, records=tuple(records))


def record(value: str, *, kind: Kind = Kind.A, ttl_s: int = 0) -> Record:
    return Record(kind, "vllm.svc", ttl_s, value)


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110  # what is waited for is another task's doing
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def following(source: DnsSource, sets: list[set[str]]) -> AsyncIterator[None]:
    def publish(endpoints: Iterable[Endpoint]) -> None:
        sets.append({one.address for one in endpoints})

    task = asyncio.create_task(source.run(publish))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def follow(
    scenario: Callable[[DnsServer, list[set[str]], list[Event]], Awaitable[None]], **keys: object
) -> None:
    """Run a scenario while a source follows what a real server says."""

    async def run() -> None:
        async with DnsServer(ttl_s=0) as server:
            replicas = DnsReplicas.model_validate(
                {"host": "vllm.svc", "port": 8000, "interval": 0.05, **keys}
            )
            sets, events = list[set[str]](), list[Event]()
            source = DnsSource("dns[0]", replicas, client(server), events.append)
            async with following(source, sets):
                await scenario(server, sets, events)

    asyncio.run(run())


def test_a_host_name_is_followed() -> None:
    """IPv4 and IPv6 addresses come and go with the records."""

    async def scenario(server: DnsServer, sets: list[set[str]], _: list[Event]) -> None:
        server.records["vllm.svc", A] = [("10.0.0.1", 0)]
        server.records["vllm.svc", AAAA] = [("fd00::1", 0)]
        await until(lambda: sets and sets[-1] == {"10.0.0.1:8000", "[fd00::1]:8000"})
        server.records["vllm.svc", A] = [("10.0.0.2", 0)]
        await until(lambda: sets[-1] == {"10.0.0.2:8000", "[fd00::1]:8000"})

    follow(scenario)


def test_a_name_server_that_is_down_changes_nothing() -> None:
    """What was known stays while nobody answers; a name that is surely gone takes its replicas along."""

    async def scenario(server: DnsServer, sets: list[set[str]], events: list[Event]) -> None:
        server.records["vllm.svc", A] = [("10.0.0.1", 0)]
        await until(lambda: sets)
        server.rcode = {A: 2, AAAA: 2}
        await until(lambda: any(event.change is Change.FAILED for event in events))
        assert sets[-1] == {"10.0.0.1:8000"}
        server.rcode = {}
        server.records.clear()
        await until(lambda: sets[-1] == set())

    follow(scenario)


def test_one_empty_answer_is_not_believed() -> None:
    """A name server that has just started may know nothing yet: it takes two answers to let everything go."""
    empty: dict[Kind, list[Record] | None] = {}
    resolver = Scripted({Kind.A: [record("10.0.0.1")]}, empty, {Kind.A: [record("10.0.0.1")]})

    async def run() -> list[set[str]]:
        replicas = DnsReplicas(host="vllm.svc", port=8000, interval=0.05)
        sets = list[set[str]]()
        async with following(DnsSource("d", replicas, resolver, lambda _: None), sets):
            await until(lambda: resolver.asked >= 8)
        return sets

    assert all(found == {"10.0.0.1:8000"} for found in asyncio.run(run()))


def test_a_kind_that_fails_for_once_loses_nothing() -> None:
    """IPv6 addresses that were there stay when only that question fails; where there were none it does not matter."""
    both: dict[Kind, list[Record] | None] = {
        Kind.A: [record("10.0.0.1")],
        Kind.AAAA: [record("fd00::1", kind=Kind.AAAA)],
    }
    half: dict[Kind, list[Record] | None] = {Kind.A: [record("10.0.0.1")], Kind.AAAA: None}

    async def run(*rounds: dict[Kind, list[Record] | None]) -> list[set[str]]:
        replicas = DnsReplicas(host="vllm.svc", port=8000, interval=0.05)
        sets, events = list[set[str]](), list[Event]()
        async with following(DnsSource("d", replicas, Scripted(*rounds), events.append), sets):
            await until(lambda: len(events) >= 3)
        return sets

    assert all(len(found) == 2 for found in asyncio.run(run(both, half)))
    assert asyncio.run(run(half))[-1] == {"10.0.0.1:8000"}


@pytest.mark.parametrize("glue", [True, False])
def test_srv_records_bring_ports(glue: bool) -> None:
    """Targets with the addresses that came along, or asked for where they did not."""

    async def scenario(server: DnsServer, sets: list[set[str]], _: list[Event]) -> None:
        server.glue = glue
        server.records["a.vllm.svc", A] = [("10.0.0.1", 0)]
        server.records["b.vllm.svc", A] = [("10.0.0.2", 0)]
        server.records["vllm.svc", SRV] = [("a.vllm.svc", 8001), ("b.vllm.svc", 8002)]
        await until(lambda: sets and sets[-1] == {"10.0.0.1:8001", "10.0.0.2:8002"})

    follow(scenario, record="srv", port=None)


def test_addresses_beyond_the_bound_are_left_out() -> None:
    """A name with more addresses than a source may have is cut, always the same way, and told."""
    many = [record(f"10.0.0.{number}", ttl_s=60) for number in range(9)]
    events = list[Event]()

    async def run() -> list[set[str]]:
        replicas = DnsReplicas(host="vllm.svc", port=8000)
        sets = list[set[str]]()
        async with following(DnsSource("d", replicas, Scripted({Kind.A: many}), events.append, most=3), sets):
            await until(lambda: sets)
        return sets

    assert asyncio.run(run()) == [{"10.0.0.0:8000", "10.0.0.1:8000", "10.0.0.2:8000"}]
    assert any(event.change is Change.TRUNCATED for event in events)
