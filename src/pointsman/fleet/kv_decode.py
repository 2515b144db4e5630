"""vLLM's KV cache events: MessagePack to values, in the encodings of all its releases; pure.

A payload is ``[time, events, data-parallel rank]``. An event is a map with a ``type`` since vLLM 0.24 and an
array that begins with it before; fields are only ever added, at the end.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from pointsman.core.errors import PointsmanError

MAX_PAYLOAD: Final = 16 << 20
"""Bytes of a payload that are read."""

BlockHash = int | bytes
"""An engine's name for a block: 64 bits as a rule, 32 bytes on request. Only compared, never made here."""


class BadEvents(PointsmanError):
    """A payload that is no batch of events."""


class BlockStored(msgspec.Struct, frozen=True):
    """Blocks that follow each other came into the cache."""

    hashes: tuple[BlockHash, ...]
    parent: BlockHash | None
    """The block before the first of these; ``None`` at the beginning of a prompt."""
    tokens: tuple[int, ...]
    """Of all these blocks."""
    block_size: int
    lora: str = ""
    extras: tuple[tuple[Any, ...], ...] = ()
    """What tells a block from others with the same tokens (salts, images), one entry a block."""


class BlockRemoved(msgspec.Struct, frozen=True):
    """Blocks left the cache."""

    hashes: tuple[BlockHash, ...]


class AllBlocksCleared(msgspec.Struct, frozen=True):
    """The cache is empty."""


Event = BlockStored | BlockRemoved | AllBlocksCleared


class EventBatch(msgspec.Struct, frozen=True):
    """What one message says, in order."""

    events: tuple[Event, ...]
    rank: int = 0


_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "BlockStored": (
        "block_hashes",
        "parent_block_hash",
        "token_ids",
        "block_size",
        "lora_id",
        "medium",
        "lora_name",
        "extra_keys",
        "group_idx",
    ),
    "BlockRemoved": ("block_hashes", "medium", "group_idx"),
    "AllBlocksCleared": (),
}
"""Order of the fields in arrays."""
_DECODER: Final = msgspec.msgpack.Decoder()


def decode(payload: bytes) -> EventBatch:
    """Read one payload; events of unknown types are left out. Raises ``BadEvents``."""
    if len(payload) > MAX_PAYLOAD:
        raise BadEvents(f"{len(payload)} bytes of events, more than {MAX_PAYLOAD}")
    try:
        batch = _DECODER.decode(payload)
        if not isinstance(batch, list) or len(batch) < 2 or not isinstance(batch[1], list):
            raise BadEvents("no batch of events")
        events = tuple(event for event in map(_event, batch[1]) if event is not None)
        rank = batch[2] if len(batch) > 2 else None
        return EventBatch(events, rank if isinstance(rank, int) and rank >= 0 else 0)
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise BadEvents(f"events that cannot be read: {error}") from error


def _event(written: Any) -> Event | None:
    kind, fields = _fields(written)
    if kind == "AllBlocksCleared":
        return AllBlocksCleared()
    if kind == "BlockRemoved":
        return BlockRemoved(_hashes(fields.get("block_hashes")))
    return _stored(fields) if kind == "BlockStored" else None


def _fields(written: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(written, dict):
        return str(written.get("type", "")), written
    if not isinstance(written, list) or not written or not isinstance(written[0], str):
        raise BadEvents("an event that is neither a map nor an array")
    return written[0], dict(zip(_FIELDS.get(written[0], ()), written[1:], strict=False))


def _stored(fields: Mapping[str, Any]) -> BlockStored:
    hashes = _hashes(fields.get("block_hashes"))
    tokens, size = fields.get("token_ids"), fields.get("block_size")
    if not isinstance(size, int) or size < 1 or not isinstance(tokens, list):
        raise BadEvents("stored blocks without tokens or size")
    if len(tokens) != size * len(hashes) or not all(type(token) is int for token in tokens):
        raise BadEvents(f"{len(tokens)} tokens in {len(hashes)} blocks of {size}")
    lora = fields.get("lora_name")
    lora = lora if isinstance(lora, str) else ""
    parent = fields.get("parent_block_hash")
    return BlockStored(
        hashes,
        None if parent is None else _hash(parent),
        tuple(tokens),
        size,
        lora,
        _extras(fields.get("extra_keys"), lora),
    )


def _extras(written: Any, lora: str) -> tuple[tuple[Any, ...], ...]:
    """Without the adapter's name, which engines repeat for each block."""
    if not isinstance(written, list):
        return ()
    return tuple(tuple(_frozen(key) for key in each or () if key != lora) for each in written)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    return value if isinstance(value, int | float | str | bytes | None) else repr(value)


def _hashes(written: Any) -> tuple[BlockHash, ...]:
    if not isinstance(written, Sequence) or isinstance(written, str | bytes):
        raise BadEvents("blocks without hashes")
    return tuple(map(_hash, written))


def _hash(written: Any) -> BlockHash:
    if type(written) is int or isinstance(written, bytes):
        return written
    raise BadEvents("a block hash that is neither a number nor bytes")
