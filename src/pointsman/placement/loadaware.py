"""``loadaware``: the least work in line, whatever anyone has cached."""

from pointsman.config.placement import Placement
from pointsman.placement.base import Profile, Weighed
from pointsman.placement.busy import Unbusy
from pointsman.placement.filters import ELIGIBLE
from pointsman.placement.pickers import Best
from pointsman.placement.policy import Policy
from pointsman.placement.share import EvenShare
from pointsman.placement.wait import LENGTHS, ShortWait

_TIE: float = 0.1
"""Enough to tell idle replicas apart, and nothing else."""


def loadaware(settings: Placement) -> Policy:
    """The policy."""
    scorers = (Weighed(ShortWait(), LENGTHS), Weighed(Unbusy(), 2.0), Weighed(EvenShare(), _TIE))
    return Policy("loadaware", Profile(ELIGIBLE, scorers, Best(settings.overload)))
