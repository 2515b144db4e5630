"""``prefixaware``: where most of the prompt is cached already, unless that costs more than it saves.

The weights are tuned with `make bench-placement`; docs/fleet.md says what each of them means.
"""

from pointsman.config.placement import Placement
from pointsman.placement.base import Profile, Weighed
from pointsman.placement.busy import Unbusy
from pointsman.placement.filters import ELIGIBLE
from pointsman.placement.lora import LoadedAdapter
from pointsman.placement.pickers import Best
from pointsman.placement.policy import Policy
from pointsman.placement.prefix import CachedPrefix
from pointsman.placement.room import OldestOut
from pointsman.placement.share import EvenShare
from pointsman.placement.wait import LENGTHS, ShortWait


def scorers(settings: Placement) -> tuple[Weighed, ...]:
    """Work saved, against work waiting, requests at work, and an even share."""
    return (
        Weighed(CachedPrefix(), settings.prefix_weight),
        Weighed(OldestOut(), settings.room_weight),
        Weighed(ShortWait(), LENGTHS),
        Weighed(Unbusy(), settings.load_weight),
        Weighed(EvenShare(), settings.share_weight),
        Weighed(LoadedAdapter(), settings.lora_weight),
    )


def prefixaware(settings: Placement) -> Policy:
    """The default."""
    profile = Profile(ELIGIBLE, scorers(settings), Best(settings.overload))
    return Policy("prefixaware", profile, reads_prompt=True)
