"""Answers kept in this process, compared one by one: exact, and fast enough for tens of thousands."""

import heapq
import time
from collections.abc import Callable, Mapping
from typing import cast

from pointsman.stores.entry import Entry, Meaning, Near
from pointsman.stores.order import ORDERS, Order
from pointsman.stores.vectors import Vectors

Key = tuple[bytes, bytes]
EXPIRED, FULL, REPLACED = "expired", "full", "replaced"
_SLACK = 64


class MemoryStore:
    """At most ``max_entries`` answers of ``max_bytes`` together. For use from one event loop.

    What has expired leaves whenever the store is used. Outlives generations of the document, whose bounds
    it takes over by ``bound``.
    """

    backend = "memory"

    def __init__(
        self,
        *,
        max_entries: int = 1000,
        max_bytes: int = 64 << 20,
        eviction: str = "fifo",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._eviction = eviction
        self._now = now
        self._entries: dict[Key, Entry] = {}
        self._order: Order = ORDERS[eviction]()
        self._ends: list[tuple[float, int, Key]] = []
        self._count = 0
        self._spaces: dict[tuple[bytes, str, int], Vectors] = {}
        self.bytes = 0
        """What is kept takes, about."""

    def __len__(self) -> int:
        return len(self._entries)

    def bound(self, *, max_entries: int, max_bytes: int, eviction: str) -> None:
        """Take over the bounds of a new document; what no longer fits leaves."""
        self._max_entries, self._max_bytes = max_entries, max_bytes
        if eviction != self._eviction:
            self._eviction, self._order = eviction, ORDERS[eviction]()
            for key in self._entries:
                self._order.added(key)
        self._make_room()

    async def exact(self, partition: bytes, question: bytes) -> Entry | None:
        """The entry of this very question."""
        self._expire()
        return self._entries.get((partition, question))

    async def nearest(self, partition: bytes, meaning: Meaning, *, most: int) -> tuple[Near, ...]:
        """Compare with all of the partition."""
        self._expire()
        space = self._spaces.get((partition, meaning.engine, len(meaning.vector)))
        if space is None:
            return ()
        return tuple(Near(entry, score) for entry, score in space.nearest(meaning.vector, most))

    async def used(self, entry: Entry) -> None:
        """Count for what leaves first; it may have left already."""
        if self._entries.get(entry.key) is entry:
            self._order.used(entry.key)

    async def put(self, entry: Entry) -> Mapping[str, int]:
        """Keep it, unless it alone is over the bounds."""
        gone = {EXPIRED: self._expire(), REPLACED: 0, FULL: 0}
        older = self._entries.get(entry.key)
        if older is not None:
            self._remove(older)
            gone[REPLACED] = 1
        if entry.size > self._max_bytes or entry.expires <= self._now():
            return gone
        self._add(entry)
        gone[FULL] = self._make_room()
        return gone

    def size(self) -> tuple[int, int]:
        """Those that have expired count until they leave."""
        return len(self._entries), self.bytes

    def _add(self, entry: Entry) -> None:
        key = entry.key
        self._entries[key] = entry
        self._order.added(key)
        self.bytes += entry.size
        self._count += 1
        heapq.heappush(self._ends, (entry.expires, self._count, key))
        if entry.meaning is not None:
            space = self._spaces.setdefault(_space(entry), Vectors(len(entry.meaning.vector)))
            space.add(entry)

    def _remove(self, entry: Entry) -> None:
        del self._entries[entry.key]
        self._order.removed(entry.key)
        self.bytes -= entry.size
        if entry.meaning is not None:
            space = self._spaces[_space(entry)]
            space.remove(entry)
            if not len(space):
                del self._spaces[_space(entry)]

    def _make_room(self) -> int:
        left = 0
        while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
            self._remove(self._entries[cast("Key", self._order.first())])
            left += 1
        if len(self._ends) > 2 * len(self._entries) + _SLACK:
            # Ends of entries that left before theirs.
            self._ends = [
                (entry.expires, number, key) for number, (key, entry) in enumerate(self._entries.items())
            ]
            heapq.heapify(self._ends)
            self._count = len(self._ends)
        return left

    def _expire(self) -> int:
        now = self._now()
        left = 0
        while self._ends and self._ends[0][0] <= now:
            _, _, key = heapq.heappop(self._ends)
            entry = self._entries.get(key)
            if entry is not None and entry.expires <= now:
                self._remove(entry)
                left += 1
        return left


def _space(entry: Entry) -> tuple[bytes, str, int]:
    assert entry.meaning is not None  # noqa: S101  # callers checked; narrows the type
    return entry.partition, entry.meaning.engine, len(entry.meaning.vector)
