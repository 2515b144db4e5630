"""Which entry leaves first when there is no room."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Protocol

Key = Hashable


class Order(Protocol):
    """Follows what is kept. Every operation takes about constant time."""

    def added(self, key: Key) -> None:
        """A key that was not there before."""

    def used(self, key: Key) -> None:
        """An entry answered a request."""

    def removed(self, key: Key) -> None:
        """It is gone."""

    def first(self) -> Key:
        """The one to leave next. There must be one."""


class Oldest:
    """``fifo``: the one that came first."""

    def __init__(self) -> None:
        self._keys: OrderedDict[Key, None] = OrderedDict()

    def added(self, key: Key) -> None:
        """To the end."""
        self._keys[key] = None

    def used(self, key: Key) -> None:
        """Use changes nothing."""

    def removed(self, key: Key) -> None:
        """It is gone."""
        del self._keys[key]

    def first(self) -> Key:
        """The head."""
        return next(iter(self._keys))


class LeastRecent(Oldest):
    """``lru``: the one unused for longest."""

    def used(self, key: Key) -> None:
        """To the end."""
        self._keys.move_to_end(key)


class LeastFrequent:
    """``lfu``: the one used least often; among equals the one unused for longest."""

    def __init__(self) -> None:
        self._uses: dict[Key, int] = {}
        self._by_uses: dict[int, OrderedDict[Key, None]] = {}

    def added(self, key: Key) -> None:
        """Unused so far."""
        self._place(key, 0)

    def used(self, key: Key) -> None:
        """Once more."""
        self._place(key, self._take(key) + 1)

    def removed(self, key: Key) -> None:
        """It is gone."""
        self._take(key)

    def first(self) -> Key:
        """The head of those used least; there are few different counts."""
        return next(iter(self._by_uses[min(self._by_uses)]))

    def _place(self, key: Key, uses: int) -> None:
        self._uses[key] = uses
        self._by_uses.setdefault(uses, OrderedDict())[key] = None

    def _take(self, key: Key) -> int:
        uses = self._uses.pop(key)
        level = self._by_uses[uses]
        del level[key]
        if not level:
            del self._by_uses[uses]
        return uses


ORDERS: dict[str, type[Oldest] | type[LeastFrequent]] = {
    "fifo": Oldest,
    "lru": LeastRecent,
    "lfu": LeastFrequent,
}
"""By the names of the document."""
