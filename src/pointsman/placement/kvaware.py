"""``kvaware``: as ``prefixaware``, told by the engines themselves what their caches hold."""

import msgspec

from pointsman.config.placement import Placement
from pointsman.placement.policy import Policy
from pointsman.placement.prefixaware import prefixaware


def kvaware(settings: Placement) -> Policy:
    """The policy. What engines do not tell is taken from what was sent to them."""
    return msgspec.structs.replace(prefixaware(settings), name="kvaware", reads_events=True)
