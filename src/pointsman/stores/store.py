"""The port of stores: whatever keeps entries looks like this."""

from collections.abc import Mapping
from typing import Protocol

from pointsman.stores.entry import Entry, Meaning, Near


class Store(Protocol):
    """Keeps entries within bounds. Whoever calls sets a deadline and goes on when a call fails."""

    @property
    def backend(self) -> str:
        """Its kind, for metrics."""

    async def exact(self, partition: bytes, question: bytes) -> Entry | None:
        """The entry of this very question, if it has not expired."""

    async def nearest(self, partition: bytes, meaning: Meaning, *, most: int) -> tuple[Near, ...]:
        """Up to ``most`` entries of the partition made by the same engine, the most similar first."""

    async def used(self, entry: Entry) -> None:
        """An entry answered a request."""

    async def put(self, entry: Entry) -> Mapping[str, int]:
        """Keep an entry in the place of an older one of its key; how many left for it, by reason."""

    def size(self) -> tuple[int, int]:
        """Entries kept and the bytes they take, as far as is known here without asking anybody."""
