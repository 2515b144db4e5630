"""What engines' caches hold, by what they say themselves."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from pointsman.fleet.kv_decode import AllBlocksCleared, BlockHash, BlockRemoved, BlockStored, Event

ENTRY_BYTES: Final = 320
"""What one block takes: two dictionary entries and two numbers (measured, see tests)."""


class Tokens(msgspec.Struct, frozen=True):
    """A prompt as the engine sees it."""

    ids: tuple[int, ...]
    lora: str = ""
    salt: str = ""


class _Cache:
    """One engine process: its names for blocks, and the keys that we gave them."""

    def __init__(self) -> None:
        self.keys: OrderedDict[BlockHash, int] = OrderedDict()
        self.counts: dict[int, int] = {}
        """By key, how many of the engine's blocks have it: groups of layers store the same tokens."""
        self.block_size = 0

    def put(self, name: BlockHash, key: int) -> int:
        """How many entries more there are."""
        before = len(self.keys)
        self.drop(name)
        self.keys[name] = key
        self.counts[key] = self.counts.get(key, 0) + 1
        return len(self.keys) - before

    def drop(self, name: BlockHash) -> bool:
        key = self.keys.pop(name, None)
        if key is None:
            return False
        if self.counts[key] > 1:
            self.counts[key] -= 1
        else:
            del self.counts[key]
        return True


class KvIndex:
    """Follows the events of every engine; bounded over all, in bytes.

    Keys are a chain of our own over tokens, so an engine's way of hashing does not matter: its hashes are
    only names. Blocks whose predecessor was never heard of are left out, as their place is not known; the
    engine's own evictions are followed, and beyond the bound the oldest of the largest cache go.
    """

    def __init__(self, *, max_bytes: int = 64 << 20) -> None:
        self._most = max(1, max_bytes // ENTRY_BYTES)
        self._caches: dict[str, dict[int, _Cache]] = {}
        self._size = 0
        self.orphans = 0
        """Blocks left out because their predecessor was not known."""

    def bound(self, max_bytes: int) -> None:
        """Take over another bound; what is too much goes with the next block that is stored."""
        self._most = max(1, max_bytes // ENTRY_BYTES)

    def apply(self, address: str, rank: int, events: Iterable[Event]) -> None:
        """Follow what one engine process says, in its order."""
        cache = self._caches.setdefault(address, {}).setdefault(rank, _Cache())
        for event in events:
            if isinstance(event, BlockStored):
                self._store(cache, event)
            elif isinstance(event, BlockRemoved):
                self._size -= sum(map(cache.drop, event.hashes))
            elif isinstance(event, AllBlocksCleared):
                self._clear(cache)

    def reset(self, address: str, rank: int | None = None) -> None:
        """Forget one engine process, or all of a replica: events were missed, or it started anew."""
        ranks = self._caches.get(address, {})
        for each in [rank] if rank is not None else list(ranks):
            cache = ranks.pop(each, None)
            if cache is not None:
                self._clear(cache)
        if not ranks:
            self._caches.pop(address, None)

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget replicas that are not among these."""
        kept = set(addresses)
        for address in [address for address in self._caches if address not in kept]:
            self.reset(address)

    def knows(self, address: str) -> bool:
        """Whether a replica has told of any block."""
        return any(cache.keys for cache in self._caches.get(address, {}).values())

    def match(self, tokens: Tokens, addresses: Sequence[str]) -> list[int]:
        """For each address, how many leading tokens are cached there; of several ranks the best counts."""
        chains: dict[int, list[int]] = {}
        found = []
        for address in addresses:
            best = 0
            for cache in self._caches.get(address, {}).values():
                if not cache.block_size:
                    continue
                keys = chains.get(cache.block_size)
                if keys is None:
                    keys = chains[cache.block_size] = chain(tokens, cache.block_size)
                best = max(best, _leading(keys, cache.counts) * cache.block_size)
            found.append(best)
        return found

    def __len__(self) -> int:
        """Blocks remembered, over all engines."""
        return self._size

    @property
    def bytes(self) -> int:
        """About what is used of the bound."""
        return self._size * ENTRY_BYTES

    def _store(self, cache: _Cache, event: BlockStored) -> None:
        key = _seed(event.lora)
        if event.parent is not None:
            parent = cache.keys.get(event.parent)
            if parent is None:
                self.orphans += len(event.hashes)
                return
            key = parent
        size = cache.block_size = event.block_size
        for index, name in enumerate(event.hashes):
            extra = event.extras[index] if index < len(event.extras) else ()
            key = _next(key, event.tokens[index * size : (index + 1) * size], extra)
            self._size += cache.put(name, key)
        while self._size > self._most:
            self._shrink()

    def _clear(self, cache: _Cache) -> None:
        self._size -= len(cache.keys)
        cache.keys.clear()
        cache.counts.clear()

    def _shrink(self) -> None:
        caches = (cache for ranks in self._caches.values() for cache in ranks.values())
        largest = max(caches, key=lambda cache: len(cache.keys))
        largest.drop(next(iter(largest.keys)))
        self._size -= 1


def chain(tokens: Tokens, block_size: int) -> list[int]:
    """Keys of the full blocks of a prompt; the salt belongs to its first block, as in the engine."""
    key = _seed(tokens.lora)
    extra: tuple[Any, ...] = (tokens.salt,) if tokens.salt else ()
    keys = []
    for start in range(0, len(tokens.ids) - block_size + 1, block_size):
        key = _next(key, tokens.ids[start : start + block_size], extra)
        keys.append(key)
        extra = ()
    return keys


def _seed(lora: str) -> int:
    return hash(("kv", lora))


def _next(key: int, tokens: tuple[int, ...], extra: tuple[Any, ...]) -> int:
    return hash((key, tokens, extra))


def _leading(keys: Sequence[int], held: dict[int, int]) -> int:
    for index, key in enumerate(keys):
        if key not in held:
            return index
    return len(keys)
