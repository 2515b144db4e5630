"""What an engine publishes about its cache: vLLM's KV events and their two encodings."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Encoding = Literal["map", "array"]


class BlockStored(msgspec.Struct, frozen=True, tag=True):
    """Consecutive blocks that came into the cache; the fields are in vLLM's order."""

    block_hashes: list[int]
    parent_block_hash: int | None
    """The block before the first one; None: it starts a prompt."""
    token_ids: list[int]
    """`block_size` tokens for each hash."""
    block_size: int
    lora_id: int | None
    medium: str
    lora_name: str | None
    extra_keys: list[list[str] | None]
    """For each block, what beside its tokens went into its hash: the adapter, and a salt in a first block."""
    group_idx: int = 0
    kv_cache_spec_kind: str = "full_attention"


class BlockRemoved(msgspec.Struct, frozen=True, tag=True):
    """Blocks that left the cache."""

    block_hashes: list[int]
    medium: str
    group_idx: int = 0


class AllBlocksCleared(msgspec.Struct, frozen=True, tag=True):
    """The cache was emptied."""


Event = BlockStored | BlockRemoved | AllBlocksCleared


def encode(events: Sequence[Event], *, at: float, dp_rank: int, encoding: Encoding) -> bytes:
    """A batch in msgpack: its Unix time, its events, the data-parallel rank.

    `map` is how vLLM 0.24 and later write an event, `array` (tag first) how earlier ones did.
    """
    shown: list[object] = list(events)
    if encoding == "array":
        shown = [[type(event).__name__, *msgspec.structs.astuple(event)] for event in events]
    return msgspec.msgpack.encode([at, shown, dp_rank])
