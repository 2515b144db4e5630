"""DNS messages: questions for A, AAAA and SRV, and their answers (RFC 1035, RFC 2782, RFC 3596). Pure."""

import ipaddress
import struct
from enum import IntEnum

import msgspec

_MAX_JUMPS = 64
"""Compression pointers followed in one name; more is a loop."""
_MAX_RECORDS = 4096
_POINTER = 0xC0
_TRUNCATED = 0x0200
_RECURSION_DESIRED = 0x0100
_ANSWER = 0x8000
_IN = 1


class Kind(IntEnum):
    """Record types."""

    A = 1
    CNAME = 5
    SOA = 6
    AAAA = 28
    SRV = 33


class MalformedAnswer(ValueError):
    """Bytes that are no DNS message, or no answer to our question."""


class Record(msgspec.Struct, frozen=True):
    """One record: ``value`` is an IP address, or for SRV the target's host name, which ``port`` goes with."""

    kind: Kind
    name: str
    ttl_s: int
    value: str
    port: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What a server said."""

    rcode: int
    truncated: bool
    records: tuple[Record, ...]
    """Answers and additional records of the kinds above; others are left out."""

    @property
    def absent(self) -> bool:
        """Whether the server is sure that the name does not exist."""
        return self.rcode == 3

    @property
    def failed(self) -> bool:
        """Whether the server could not say."""
        return self.rcode not in {0, 3}


def question(ident: int, name: str, kind: Kind) -> bytes:
    """A recursive query. ValueError for what is no host name."""
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    if any(not 0 < len(label) <= 63 for label in labels) or sum(map(len, labels)) + len(labels) > 254:
        raise ValueError(f"{name!r} is no host name")
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!6H", ident, _RECURSION_DESIRED, 1, 0, 0, 0) + encoded + struct.pack("!2H", kind, _IN)


def answer(message: bytes, asked: bytes) -> Answer:
    """Read the answer to the query ``asked``; ``MalformedAnswer`` when it is something else."""
    try:
        return _answer(message, asked)
    except (struct.error, IndexError, UnicodeDecodeError, ipaddress.AddressValueError) as error:
        raise MalformedAnswer(f"no DNS message: {error}") from error


def _answer(message: bytes, asked: bytes) -> Answer:
    ident, flags, questions, answers, authorities, additional = struct.unpack_from("!6H", message)
    same = message[12 : len(asked)].lower() == asked[12:].lower()
    if ident != struct.unpack_from("!H", asked)[0] or not flags & _ANSWER or questions != 1 or not same:
        raise MalformedAnswer("answers another question")
    at, records = len(asked), list[Record]()
    for _ in range(min(answers + authorities + additional, _MAX_RECORDS)):
        if flags & _TRUNCATED and at >= len(message):
            break
        at, record = _record(message, at)
        if record is not None:
            records.append(record)
    return Answer(flags & 0xF, bool(flags & _TRUNCATED), tuple(records))


def _record(message: bytes, at: int) -> tuple[int, Record | None]:
    """The record that begins at ``at``, and where the next one does."""
    at, name = _name(message, at)
    kind, class_, ttl, length = struct.unpack_from("!HHIH", message, at)
    at += 10
    end = at + length
    if end > len(message):
        raise MalformedAnswer("a record is longer than the message")
    ttl = 0 if ttl & 0x80000000 else ttl
    record = None
    if class_ == _IN and kind == Kind.A:
        record = Record(Kind.A, name, ttl, str(ipaddress.IPv4Address(message[at:end])))
    elif class_ == _IN and kind == Kind.AAAA:
        record = Record(Kind.AAAA, name, ttl, str(ipaddress.IPv6Address(message[at:end])))
    elif class_ == _IN and kind == Kind.SRV:
        _, target = _name(message, at + 6)
        record = Record(Kind.SRV, name, ttl, target, port=struct.unpack_from("!H", message, at + 4)[0])
    return end, record


def _name(message: bytes, at: int) -> tuple[int, str]:
    """A possibly compressed name, lower case, and where what follows it begins."""
    labels, after, jumps = list[str](), -1, 0
    while length := message[at]:
        if length & _POINTER == _POINTER:
            jumps += 1
            if jumps > _MAX_JUMPS:
                raise MalformedAnswer("a name refers to itself")
            after = at + 2 if after < 0 else after
            at = struct.unpack_from("!H", message, at)[0] & 0x3FFF
            continue
        label = message[at + 1 : at + 1 + length]
        if length & _POINTER or len(label) != length:
            raise MalformedAnswer("a name is cut off")
        labels.append(label.decode("ascii").lower())
        if len(labels) > 127:
            raise MalformedAnswer("a name has too many labels")
        at += 1 + length
    return (at + 1 if after < 0 else after), ".".join(labels)
