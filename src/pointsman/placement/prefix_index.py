"""Which endpoint has which beginnings of prompts in its cache, as far as we can tell from what we sent."""

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, Protocol

ENTRY_BYTES: Final = 168
"""What one block of one endpoint takes: a dictionary entry, its links and the key (measured, see tests)."""

_DEPTH: Final = 512
"""Blocks that are looked through for an age: as many as the longest prompt that is looked at."""
_NOTHING: Final[OrderedDict[int, int]] = OrderedDict()


class PrefixIndex(Protocol):
    """Learns what was placed where, and says how much of a prompt each endpoint has seen.

    Keys are those of ``prompt_keys``: each covers its block and every one before, so that a prompt is a
    sequence of keys and two prompts share exactly their first equal keys.
    """

    def match(self, keys: Sequence[int], addresses: Sequence[str]) -> list[int]:
        """For each address, how many leading keys it has."""

    def learn(self, keys: Sequence[int], address: str) -> None:
        """A prompt went to an endpoint, which now has all of it."""

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget endpoints that are not among these."""

    def forget(self, address: str) -> None:
        """An endpoint's cache is empty: it started anew, or was told to clear it."""


class BlockIndex:
    """One recency list an endpoint, as the engine's own cache has; bounded over all, in bytes.

    A prompt's keys are touched from its end to its beginning, so that of any prompt the end goes first and
    what is left of it is always a beginning. That is what lets ``match`` halve its way to the answer.
    """

    def __init__(self, *, max_bytes: int = 64 << 20, blocks: int | None = None) -> None:
        """``blocks``: most an endpoint without a capacity of its own keeps; ``None`` for no such bound."""
        self._most = max(1, max_bytes // ENTRY_BYTES)
        self._blocks = blocks
        self._capacities: Mapping[str, int] = {}
        self._seen: dict[str, OrderedDict[int, int]] = {}
        """By address: the key of each block and when it was touched last, the least recent first."""
        self._size = 0
        self._now = 0
        """Prompts learned so far, which is the time here."""

    def bound(self, max_bytes: int, blocks: int | None) -> None:
        """Take over other bounds; what is too much goes with the next prompt that is learned."""
        self._most = max(1, max_bytes // ENTRY_BYTES)
        self._blocks = blocks

    def heed(self, capacities: Mapping[str, int]) -> None:
        """Take over what endpoints' caches hold, in blocks; one that is not named gets the default."""
        self._capacities = capacities

    def match(self, keys: Sequence[int], addresses: Sequence[str]) -> list[int]:
        """A search in each endpoint's list: 4 look-ups for a prompt of 16 blocks."""
        seen = self._seen
        found = []
        for address in addresses:
            blocks = seen.get(address)
            if not blocks or not keys or keys[0] not in blocks:
                found.append(0)
                continue
            low, high = 1, len(keys)
            while low < high:
                middle = (low + high + 1) // 2
                if keys[middle - 1] in blocks:
                    low = middle
                else:
                    high = middle - 1
            found.append(low)
        return found

    def ages(self, blocks: Sequence[int], addresses: Sequence[str]) -> list[float]:
        """For each address, how long ago that was touched which as many new blocks would push out.

        In prompts learned since; infinite where there is room. ``blocks`` has a number for each address.
        """
        ages = []
        for count, address in zip(blocks, addresses, strict=True):
            seen = self._seen.get(address, _NOTHING)
            excess = len(seen) + count - self._capacity(address)
            if excess <= 0 or not seen:
                ages.append(math.inf)
                continue
            depth = min(excess, len(seen), _DEPTH) - 1
            ages.append(float(self._now - next(islice(seen.values(), depth, None))))
        return ages

    def learn(self, keys: Sequence[int], address: str) -> None:
        """Put the prompt first in the endpoint's list; what it pushes out is forgotten."""
        blocks = self._seen.get(address)
        if blocks is None:
            blocks = self._seen[address] = OrderedDict()
        bound = self._capacity(address)
        self._now += 1
        before = len(blocks)
        # Of a prompt that is longer than the cache the beginning stays.
        for key in reversed(keys[:bound]):
            blocks[key] = self._now
            blocks.move_to_end(key)
        while len(blocks) > bound:
            blocks.popitem(last=False)
        self._size += len(blocks) - before
        while self._size > self._most:
            self._shrink(self._size - self._most)

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget endpoints that are not among these."""
        kept = set(addresses)
        for address in [address for address in self._seen if address not in kept]:
            self.forget(address)

    def forget(self, address: str) -> None:
        """Drop the endpoint's list."""
        self._size -= len(self._seen.pop(address, ()))

    def __len__(self) -> int:
        """Blocks remembered, over all endpoints."""
        return self._size

    @property
    def bytes(self) -> int:
        """About what is used of the bound."""
        return self._size * ENTRY_BYTES

    def _capacity(self, address: str) -> int:
        return min(self._capacities.get(address, self._blocks or self._most), self._most)

    def _shrink(self, excess: int) -> None:
        """The largest list gives, and no more than its half, so that one busy endpoint empties no other."""
        largest = max(self._seen.values(), key=len)
        for _ in range(min(excess, max(1, len(largest) // 2))):
            largest.popitem(last=False)
            self._size -= 1
