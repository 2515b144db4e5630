"""Names that engines serve beyond those of the document: adapters loaded at run time, aliases."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from pointsman.core.endpoint import Endpoint
from pointsman.core.model import Target
from pointsman.dialects.openai_models import ListedModel
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.roster import Roster
from pointsman.fleet.static import adapter

MOST: Final = 4096
"""Names at the same time, and as many remembered after they are gone; engines tell them, not clients."""
MOST_A_POOL: Final = 1024


class Served:
    """What the roster knows more than the catalog. It looks again only when the roster changed."""

    def __init__(self, catalog: Catalog, roster: Roster, *, most: int = MOST) -> None:
        self._catalog = catalog
        self._roster = roster
        self._most = most
        self._looked: Mapping[str, tuple[Endpoint, ...]] | None = None
        self._targets: dict[str, Target] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def target(self, name: str) -> Target | None:
        """What a name means that the document does not have; ``None`` where no engine has it either."""
        self._look()
        return self._targets.get(name)

    def gone(self, name: str) -> bool:
        """Whether some engine had the name before, and none has it now."""
        self._look()
        return name in self._seen and name not in self._targets

    def listed(self) -> tuple[ListedModel, ...]:
        """These names as the list of models shows them, sorted."""
        self._look()
        described = "Served by an engine, not named in the document"
        return tuple(
            ListedModel(name, virtual=False, description=described, parent=target.parent)
            for name, target in sorted(self._targets.items())
        )

    def _look(self) -> None:
        pools = self._roster.pools
        if pools is self._looked:
            return
        self._looked = pools
        self._targets = self._found(pools)
        for name in self._targets:
            self._seen.pop(name, None)
            self._seen[name] = None
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def _found(self, pools: Mapping[str, tuple[Endpoint, ...]]) -> dict[str, Target]:
        """The pool that comes first in the document has a name that several have."""
        known = self._catalog.targets.keys() | self._catalog.virtual
        wire = {target.wire_name for target in self._catalog.targets.values()}
        found: dict[str, Target] = {}
        for pool, base in self._catalog.targets.items():
            if base.parent is not None:
                continue
            names = {name for endpoint in pools.get(pool, ()) for name in endpoint.models}
            for name in sorted(names - known - wire)[:MOST_A_POOL]:
                if len(found) < self._most:
                    found.setdefault(name, adapter(base, name))
        return found
