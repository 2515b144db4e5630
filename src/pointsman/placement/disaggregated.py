"""``disaggregated_prefill`` and ``_orchestrated``: one replica computes the prompt, another generates.

Two profiles over the same endpoints. Until the prefill call is made, requests go to the decode side, which
computes the prompt itself.
"""

from pointsman.config.placement import Placement
from pointsman.placement.base import Profile, Weighed
from pointsman.placement.busy import Unbusy
from pointsman.placement.filters import ELIGIBLE
from pointsman.placement.pickers import Best
from pointsman.placement.policy import Policy
from pointsman.placement.prefix import CachedPrefix
from pointsman.placement.prefixaware import scorers


def disaggregated_prefill(settings: Placement) -> Policy:
    """The policy. Prefill goes where the prompt is cached, decode where there is room."""
    return _policy("disaggregated_prefill", settings)


def disaggregated_prefill_orchestrated(settings: Placement) -> Policy:
    """The same choice; what differs is who carries the cache over."""
    return _policy("disaggregated_prefill_orchestrated", settings)


def _policy(name: str, settings: Placement) -> Policy:
    decode = (Weighed(Unbusy(), 2.0), Weighed(CachedPrefix(), settings.prefix_weight / 2))
    return Policy(
        name,
        profile=Profile(ELIGIBLE, decode, Best(settings.overload)),
        prefill=Profile(ELIGIBLE, scorers(settings), Best(settings.overload)),
        reads_prompt=True,
    )
