"""The record of one request's way through the router: what ``explain``, logs and metrics read."""

from collections.abc import Mapping

import msgspec

from pointsman.core.decision import Match
from pointsman.core.guard import GuardOutcome
from pointsman.core.model import Selection
from pointsman.core.placement import Placement
from pointsman.core.request import ChatRequest
from pointsman.core.signal import SignalSet
from pointsman.core.verdict import Verdict


class Trace(msgspec.Struct, frozen=True):
    """Everything decided about one request. ``None`` marks a phase that was not reached."""

    request_id: str = ""
    request: ChatRequest | None = None
    virtual: bool = False
    """Whether the client asked for a virtual model (``MoM``) rather than naming one."""
    recipe: str = ""
    """Name of the policy that decided (``default`` is the top-level one); empty for a model named itself."""
    signals: SignalSet = SignalSet()
    match: Match | None = None
    guards: tuple[GuardOutcome, ...] = ()
    """What the guards made of the request, before it went anywhere."""
    selection: Selection | None = None
    placement: Placement | None = None
    """Where the request goes; ``None`` also where the data plane chooses."""
    rewrites: tuple[str, ...] = ()
    """What was changed in the request, one short phrase each, in order."""
    phases_us: Mapping[str, float] = {}
    """Wall time of each phase, microseconds."""
    error: str = ""
    """Why the request was refused, as the client was told."""


class Ruling(msgspec.Struct, frozen=True):
    """The pipeline's answer for one request: what to do, and why."""

    verdict: Verdict
    trace: Trace
