"""The one table of policies that run here; the others are the data plane's own."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from pointsman.config.placement import NATIVE, Placement, PolicyName
from pointsman.placement.disaggregated import disaggregated_prefill, disaggregated_prefill_orchestrated
from pointsman.placement.kvaware import kvaware
from pointsman.placement.loadaware import loadaware
from pointsman.placement.policy import Policy
from pointsman.placement.prefixaware import prefixaware
from pointsman.placement.session import session

Factory = Callable[[Placement], Policy]

FACTORIES: Final[Mapping[PolicyName, Factory]] = MappingProxyType(
    {
        "prefixaware": prefixaware,
        "session": session,
        "loadaware": loadaware,
        "kvaware": kvaware,
        "disaggregated_prefill": disaggregated_prefill,
        "disaggregated_prefill_orchestrated": disaggregated_prefill_orchestrated,
    }
)
"""Every policy that is not native."""


def build_policy(name: PolicyName, settings: Placement) -> Policy | None:
    """The policy of that name; ``None`` for one that the data plane carries out alone."""
    return None if name in NATIVE else FACTORIES[name](settings)
