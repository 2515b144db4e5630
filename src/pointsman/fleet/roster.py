"""Who is there: the endpoints of each pool at this moment, replaced as a whole whenever something changes."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from pointsman.core.endpoint import Endpoint, Health

Listener = Callable[["Roster"], None]


class Roster:
    """The endpoints by pool. One writer (discovery and health), any number of readers, one event loop.

    Readers take a tuple and keep it for one decision; writers replace whole pools.
    """

    def __init__(self, endpoints: Iterable[Endpoint] = ()) -> None:
        self._pools: Mapping[str, tuple[Endpoint, ...]] = MappingProxyType({})
        self._listeners: list[Listener] = []
        self.replace(endpoints)

    def of(self, pool: str) -> tuple[Endpoint, ...]:
        """The endpoints of a pool, sorted by address; empty for one that is not known."""
        return self._pools.get(pool, ())

    def usable(self, pool: str) -> tuple[Endpoint, ...]:
        """Those that may get a request: the ready ones, or those not probed yet where nothing is ready."""
        found = self.of(pool)
        ready = tuple(one for one in found if one.health is Health.READY)
        return ready or tuple(one for one in found if one.health is Health.UNKNOWN)

    @property
    def pools(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """Every pool."""
        return self._pools

    def replace(self, endpoints: Iterable[Endpoint]) -> None:
        """Take a new set of endpoints, all pools at once; listeners hear of it when something differs."""
        pools: dict[str, list[Endpoint]] = {}
        for endpoint in endpoints:
            pools.setdefault(endpoint.pool, []).append(endpoint)
        found = {pool: tuple(sorted(each, key=lambda one: one.address)) for pool, each in pools.items()}
        if found != self._pools:
            self._pools = MappingProxyType(found)
            for listener in tuple(self._listeners):
                listener(self)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on every change, until the function returned here is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
