"""A policy: which replica a request goes to, as one or two profiles and what they need to know."""

import msgspec

from pointsman.placement.base import Profile


class Policy(msgspec.Struct, frozen=True):
    """Built once for all pools. Without profiles, the data plane balances alone and nothing runs here."""

    name: str
    profile: Profile
    """Chooses where the request goes; with ``prefill``, where its answer is generated."""
    prefill: Profile | None = None
    """Chooses where the prompt is computed first, in fleets that separate prefill from decode."""
    reads_prompt: bool = False
    """Whether the prompt is cut into blocks and looked up."""
    reads_session: bool = False
    """Whether what keeps a session together is looked for."""
    reads_events: bool = False
    """Whether engines tell which blocks they have."""
