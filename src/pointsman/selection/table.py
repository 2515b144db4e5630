"""The one table of algorithms that choose among a decision's candidates."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pointsman.config.decisions import Decision
from pointsman.selection.base import Selector
from pointsman.selection.dependencies import Dependencies
from pointsman.selection.hybrid import hybrid
from pointsman.selection.knn import knn
from pointsman.selection.latency_aware import latency_aware
from pointsman.selection.multi_factor import multi_factor
from pointsman.selection.rated import rated
from pointsman.selection.router_dc import router_dc
from pointsman.selection.strict import Strict
from pointsman.selection.weighted import weighted

__all__ = ["FACTORIES", "Dependencies", "build_selector"]

Factory = Callable[[Decision, Dependencies], Selector | None]
"""Builds the algorithm of a decision. Raises ConfigError for settings that cannot run."""

STATIC: Final = "static"
WEIGHTED: Final = "weighted"
FACTORIES: Final[Mapping[str, Factory]] = MappingProxyType(
    {
        STATIC: rated,
        WEIGHTED: weighted,
        "router_dc": router_dc,
        "latency_aware": latency_aware,
        "multi_factor": multi_factor,
        "hybrid": hybrid,
        "knn": knn,
    }
)
"""Every algorithm that runs; one that gives no selector takes the first candidate."""


def build_selector(decision: Decision, dependencies: Dependencies) -> Selector | None:
    """The decision's algorithm; ``None`` takes the first candidate.

    One candidate needs none. Raises ``ConfigError`` for settings that cannot run.
    """
    if len(dependencies.candidates) <= 1:
        return None
    factory = FACTORIES.get(_algorithm(decision, dependencies), rated)
    selector = factory(decision, dependencies)
    strict = decision.algorithm is not None and decision.algorithm.on_error == "fail"
    return Strict(selector) if selector is not None and strict else selector


def _algorithm(decision: Decision, dependencies: Dependencies) -> str:
    """The algorithm written; without one, weights other than 1 are a wish for ``weighted``."""
    if decision.algorithm is None:
        return WEIGHTED if any(ref.weight != 1 for ref in decision.model_refs) else STATIC
    kind = decision.algorithm.type
    enabled = dependencies.settings.global_.router.model_selection.enabled
    return kind if enabled or kind == WEIGHTED else STATIC
