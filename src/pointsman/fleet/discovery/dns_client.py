"""Asking the name servers of ``/etc/resolv.conf``, with the time to live that ``getaddrinfo`` hides."""

import asyncio
import contextlib
import secrets
import struct
from collections.abc import Iterable
from pathlib import Path

import msgspec

from pointsman.fleet.discovery.dns_wire import Answer, Kind, MalformedAnswer, answer, question

_PORT = 53
_TIMEOUT_S = 2.0
_ROUNDS = 2
_MAX_SERVERS = 3
_MAX_SEARCH = 8


class LookupFailed(OSError):
    """No server could say."""


class Resolv(msgspec.Struct, frozen=True):
    """What ``resolv.conf`` says."""

    servers: tuple[tuple[str, int], ...] = (("127.0.0.1", _PORT),)
    search: tuple[str, ...] = ()
    ndots: int = 1

    def names(self, host: str) -> tuple[str, ...]:
        """The full names to try in turn."""
        if host.endswith("."):
            return (host,)
        searched = tuple(f"{host}.{domain}" for domain in self.search)
        return (host, *searched) if host.count(".") >= self.ndots else (*searched, host)


def read_resolv(path: Path = Path("/etc/resolv.conf")) -> Resolv:
    """The system's; its defaults where the file is missing."""
    with contextlib.suppress(OSError):
        return parse_resolv(path.read_text(errors="replace").splitlines())
    return Resolv()


def parse_resolv(lines: Iterable[str]) -> Resolv:
    """Servers, search list and ``ndots``; other options do not matter here."""
    servers, search, ndots = list[tuple[str, int]](), list[str](), 1
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            servers.append((words[1], _PORT))
        elif words[:1] in (["search"], ["domain"]):
            search = words[1:]
        elif words[:1] == ["options"]:
            for option in words[1:]:
                key, _, value = option.partition(":")
                if key == "ndots" and value.isdigit():
                    ndots = min(int(value), 15)
    return Resolv(
        tuple(servers[:_MAX_SERVERS]) or Resolv().servers,
        tuple(domain.rstrip(".") for domain in search[:_MAX_SEARCH]),
        ndots,
    )


class DnsClient:
    """UDP, and TCP where an answer does not fit."""

    def __init__(self, resolv: Resolv, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._resolv = resolv
        self._timeout_s = timeout_s

    async def ask(self, host: str, kind: Kind) -> Answer:
        """The answer for the first searched name that exists; ``LookupFailed`` when none can say."""
        last: Answer | None = None
        for name in self._resolv.names(host):
            found = await self._ask_servers(name, kind)
            if not found.absent:
                return found
            last = found
        if last is None:
            raise LookupFailed(f"nothing to ask for {host}")
        return last

    async def _ask_servers(self, name: str, kind: Kind) -> Answer:
        trouble = "no name server"
        for _ in range(_ROUNDS):
            for server in self._resolv.servers:
                query = question(secrets.randbits(16), name, kind)
                try:
                    async with asyncio.timeout(self._timeout_s):
                        found = await self._exchange(server, query)
                except (TimeoutError, OSError, EOFError, MalformedAnswer) as error:
                    trouble = f"{server[0]}: {error!r}"
                    continue
                if not found.failed:
                    return found
                trouble = f"{server[0]} answered with code {found.rcode}"
        raise LookupFailed(f"{name}: {trouble}")

    async def _exchange(self, server: tuple[str, int], query: bytes) -> Answer:
        found = await _udp(server, query)
        return await _tcp(server, query) if found.truncated else found


async def _udp(server: tuple[str, int], query: bytes) -> Answer:
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[Answer] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(query, heard), remote_addr=server)
    try:
        transport.sendto(query)
        return await heard
    finally:
        transport.close()


async def _tcp(server: tuple[str, int], query: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        return answer(await reader.readexactly(length), query)
    finally:
        writer.close()


class _Listener(asyncio.DatagramProtocol):
    """Waits for the answer to one query; datagrams that answer something else are passed over."""

    def __init__(self, query: bytes, heard: "asyncio.Future[Answer]") -> None:
        self._query = query
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if not self._heard.done():
            with contextlib.suppress(MalformedAnswer):
                self._heard.set_result(answer(data, self._query))

    def error_received(self, exc: Exception) -> None:
        if not self._heard.done():
            self._heard.set_exception(exc)
