"""A prefix cache in blocks, as an engine's KV cache is: chained hashes, a budget, oldest use goes first."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise

from pointsman.sim import tokens
from pointsman.sim.kv_events import AllBlocksCleared, BlockRemoved, BlockStored, Event

BLOCK_TOKENS = 16
MEDIUM = "GPU"  # what vLLM says on every device


@dataclass(frozen=True)
class Chain:
    """A sequence of tokens as blocks, each hash covering everything before it."""

    tokens: Sequence[str]
    lora_name: str | None = None
    lora_id: int | None = None
    """The number vLLM gives an adapter when it is loaded."""
    salt: str = ""
    """Sequences of another adapter or salt share no block."""
    known: Sequence[int] = ()
    """Hashes of the first blocks, if they are known already."""

    @cached_property
    def hashes(self) -> list[int]:
        """64 bits for each full block; the same in every process."""
        seed = f"{self.lora_name or ''}\0{self.salt}"
        found = list(self.known)
        parent = found[-1].to_bytes(8) if found else blake2b(seed.encode(), digest_size=8).digest()
        for start in range(len(found) * BLOCK_TOKENS, len(self.tokens) - BLOCK_TOKENS + 1, BLOCK_TOKENS):
            block = "\0".join(self.tokens[start : start + BLOCK_TOKENS])
            parent = blake2b(parent + block.encode(), digest_size=8).digest()
            found.append(int.from_bytes(parent))
        return found

    def stored(self, first: int, last: int) -> BlockStored:
        """The event of the blocks from `first` up to, not including, `last`."""
        pieces = self.tokens[first * BLOCK_TOKENS : last * BLOCK_TOKENS]
        return BlockStored(
            block_hashes=self.hashes[first:last],
            parent_block_hash=self.hashes[first - 1] if first else None,
            token_ids=[tokens.id_of(piece) for piece in pieces],
            block_size=BLOCK_TOKENS,
            lora_id=self.lora_id,
            medium=MEDIUM,
            lora_name=self.lora_name,
            extra_keys=[self._extra(index) for index in range(first, last)],
        )

    def _extra(self, index: int) -> list[str] | None:
        keys = [self.lora_name] if self.lora_name else []
        if self.salt and index == 0:
            keys.append(self.salt)
        return keys or None


class PrefixCache:
    """At most `capacity` blocks: those that running requests hold, and those that may be evicted."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.recording = False
        """Whether events are kept for `take_events`."""
        self._held: dict[int, int] = {}
        self._idle: OrderedDict[int, None] = OrderedDict()
        self._events: list[Event] = []
        self._removed: list[int] = []

    def __len__(self) -> int:
        return len(self._held) + len(self._idle)

    @property
    def held(self) -> int:
        """Blocks that running requests hold."""
        return len(self._held)

    def match(self, chain: Chain) -> int:
        """How many leading tokens are cached. At least one token is always left to compute, as in vLLM."""
        matched = 0
        for block in chain.hashes[: (len(chain.tokens) - 1) // BLOCK_TOKENS]:
            if block not in self._held and block not in self._idle:
                break
            matched += BLOCK_TOKENS
        return matched

    def hold(self, chain: Chain, first: int = 0) -> list[int]:
        """Cache a chain's blocks from `first` on and hold them; gives those held, to be released once.

        When everything else is held as well, the blocks that find no place are left out. So are all of them
        when the block before `first` is gone, which happens when the cache was cleared meanwhile.
        """
        if first and chain.hashes[first - 1] not in self._held:
            return []
        taken: list[int] = []
        fresh: list[int] = []
        for index, block in enumerate(chain.hashes[first:], first):
            if block in self._held:
                self._held[block] += 1
            elif block in self._idle:
                del self._idle[block]
                self._held[block] = 1
            elif self._make_room():
                self._held[block] = 1
                fresh.append(index)
            else:
                break
            taken.append(block)
        self._record(chain, fresh)
        return taken

    def release(self, blocks: Sequence[int]) -> None:
        """Let go of held blocks. They stay cached; the tail of a sequence is evicted before its head."""
        for block in reversed(blocks):
            left = self._held.get(block, 0) - 1
            if left > 0:
                self._held[block] = left
            elif left == 0:
                del self._held[block]
                self._idle[block] = None

    def clear(self) -> None:
        """Forget every block, also those that are held: their `release` does nothing then."""
        self._idle.clear()
        self._held.clear()
        if self.recording:
            self._events.append(AllBlocksCleared())

    def take_events(self) -> list[Event]:
        """The events since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _make_room(self) -> bool:
        if len(self) < self.capacity:
            return True
        if not self._idle:
            return False
        self._removed.append(self._idle.popitem(last=False)[0])
        return True

    def _record(self, chain: Chain, fresh: Sequence[int]) -> None:
        removed, self._removed = self._removed, []
        if not self.recording:
            return
        if removed:
            self._events.append(BlockRemoved(removed, MEDIUM))
        if fresh:
            breaks = [right for left, right in pairwise(fresh) if right != left + 1]
            starts = [fresh[0], *breaks]
            ends = [fresh[fresh.index(start) - 1] + 1 for start in breaks] + [fresh[-1] + 1]
            self._events += [chain.stored(*run) for run in zip(starts, ends, strict=True)]
