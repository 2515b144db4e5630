"""From the document to a placer."""

from pointsman.config import Settings
from pointsman.config.placed import placed
from pointsman.fleet.engine_tokens import EngineTokens
from pointsman.fleet.roster import Roster
from pointsman.placement.memory import Memory
from pointsman.placement.placer import Placer
from pointsman.placement.table import build_policy


def build_placer(settings: Settings, roster: Roster, memory: Memory) -> Placer | None:
    """What chooses endpoints for this document; ``None`` where that is the data plane's alone."""
    fleet = settings.fleet
    memory.heed(fleet.placement)
    policy = build_policy(fleet.policy, fleet.placement)
    pools = frozenset(model.name for model in settings.providers.models if placed(settings, model))
    if policy is None or not pools:
        return None
    tokens = EngineTokens() if policy.reads_events else None
    return Placer(policy, fleet.placement, roster, memory, pools, tokens)
