"""What the cache knows, apart from any document: the entries, and the questions on their way to a model."""

from pointsman.cache.flights import Flights
from pointsman.config.stores import ResponseCacheStore
from pointsman.stores.memory import MemoryStore
from pointsman.stores.store import Store


class Answers:
    """Outlives generations of the document. For use from one event loop."""

    def __init__(self, store: Store | None = None, flights: Flights | None = None) -> None:
        self.store: Store = MemoryStore() if store is None else store
        self.flights = Flights() if flights is None else flights

    def heed(self, settings: ResponseCacheStore) -> None:
        """Take over the bounds of a document. One that keeps no answers forgets those there were."""
        if isinstance(self.store, MemoryStore):
            self.store.bound(
                max_entries=settings.max_entries if settings.enabled else 0,
                max_bytes=settings.max_bytes,
                eviction=settings.eviction_policy,
            )
