"""The one table of algorithms that choose among a decision's candidates."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from pointsman.config.decisions import Decision
from pointsman.config.document import Settings
from pointsman.config.routing import Routing
from pointsman.core.model import Candidate
from pointsman.fleet.state import FleetState
from pointsman.selection.base import Selector
from pointsman.selection.embedder import Embedder


class Dependencies(msgspec.Struct, frozen=True):
    """What algorithms need beside their own settings."""

    encoder: Embedder
    settings: Settings
    routing: Routing
    """The routing that the decision belongs to: its model cards describe the candidates."""
    fleet: FleetState
    candidates: tuple[Candidate, ...] = ()
    """The decision's candidates that some endpoint can serve."""
    where: str = "routing"
    """Key path of the decision, for problems."""


Factory = Callable[[Decision, Dependencies], Selector]
"""Builds the algorithm of a decision. Raises ConfigError for settings that cannot run."""

FACTORIES: Final[Mapping[str, Factory]] = MappingProxyType({})
"""Every algorithm but ``static``, which takes the first candidate."""


def build_selector(decision: Decision, dependencies: Dependencies) -> Selector | None:
    """The decision's algorithm; ``None`` takes the first candidate, as ``check`` tells for those without."""
    factory = FACTORIES.get(decision.algorithm.type) if decision.algorithm else None
    return factory(decision, dependencies) if factory else None
