"""A name server for tests, over UDP and TCP, with faults on demand."""

import asyncio
import contextlib
import ipaddress
import struct
from dataclasses import dataclass, field
from typing import Self, cast

A, AAAA, SRV = 1, 28, 33


def encoded(name: str) -> bytes:
    """A name without compression."""
    return (
        b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".") if label)
        + b"\0"
    )


def rdata(kind: int, value: str, port: int = 0) -> bytes:
    if kind == SRV:
        return struct.pack("!3H", 10, 5, port) + encoded(value)
    return ipaddress.ip_address(value).packed


@dataclass
class DnsServer:
    """``async with``. ``records`` maps (name, kind) to (value, port) pairs; an unknown name does not exist."""

    records: dict[tuple[str, int], list[tuple[str, int]]] = field(default_factory=dict)
    ttl_s: int = 60
    rcode: dict[int, int] = field(default_factory=dict)
    """Answer questions of a kind with this code."""
    silent: bool = False
    truncate: bool = False
    """Over UDP, say only that TCP is needed."""
    stranger: bool = False
    """Send the answer to another question first."""
    glue: bool = True
    """Whether addresses of SRV targets come along."""
    asked: list[tuple[str, int]] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._stream, "127.0.0.1", 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            message = self.answer(await reader.readexactly(length), truncate=False)
            writer.write(struct.pack("!H", len(message)) + message)
            await writer.drain()
        writer.close()

    def answer(self, query: bytes, *, truncate: bool) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name = ".".join(labels).lower()
        (kind,) = struct.unpack_from("!H", query, at + 1)
        self.asked.append((name, kind))
        exists = any(known == name for known, _ in self.records)
        rcode = self.rcode.get(kind, 0 if exists else 3)
        records = [] if rcode else [(name, kind, *each) for each in self.records.get((name, kind), ())]
        extra = [
            (target, other, *each)
            for _, of, target, _ in records
            if of == SRV and self.glue
            for other in (A, AAAA)
            for each in self.records.get((target.rstrip("."), other), ())
        ]
        if truncate:
            records, extra = [], []
        flags = 0x8180 | rcode | (0x0200 if truncate else 0)
        head = query[:2] + struct.pack("!5H", flags, 1, len(records), 0, len(extra))
        return head + query[12:] + b"".join(self._record(*each, name=name) for each in (*records, *extra))

    def _record(self, owner: str, kind: int, value: str, port: int, *, name: str) -> bytes:
        where = b"\xc0\x0c" if owner == name else encoded(owner)
        data = rdata(kind, value, port)
        return where + struct.pack("!HHIH", kind, 1, self.ttl_s, len(data)) + data


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._server.silent:
            return
        message = self._server.answer(data, truncate=self._server.truncate)
        if self._server.stranger:
            self._transport.sendto(b"\0\0" + message[2:], addr)
        self._transport.sendto(message, addr)
