"""Every name a request or a decision may use for a model, resolved once when a generation is built."""

from collections.abc import Mapping

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.model import Target
from pointsman.dialects.openai_models import ListedModel


class Catalog(msgspec.Struct, frozen=True):
    """Names to targets. Comparison is exact and case-sensitive."""

    targets: Mapping[str, Target]
    virtual: frozenset[str]
    """Names that ask for a decision (``MoM``)."""
    listed: tuple[ListedModel, ...] = ()
    """What ``GET /v1/models`` shows, in the document's order."""
    default: Target | None = None
    """What answers when no decision matches."""

    @property
    def pools(self) -> tuple[str, ...]:
        """The provider models."""
        return tuple(name for name, target in self.targets.items() if target.parent is None)

    def is_virtual(self, name: str) -> bool:
        """Whether the client left the choice to us."""
        return name in self.virtual

    def target(self, name: str) -> Target:
        """The target of a name a client used. Raises ``RequestError`` when there is none."""
        target = self.targets.get(name)
        if target is None:
            raise RequestError(f'model "{name}" is not available', param="model")
        return target
