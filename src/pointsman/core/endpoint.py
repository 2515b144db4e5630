"""One replica: where it is, what it serves, and what is known of its state."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a replica does in a fleet that separates prefill from decode."""

    BOTH = "both"
    PREFILL = "prefill"
    DECODE = "decode"


class Health(StrEnum):
    """Whether a replica may be chosen."""

    READY = "ready"
    """A probe, or a request, was answered lately."""
    UNKNOWN = "unknown"
    """Not probed yet: chosen only where nothing is ready."""
    DRAINING = "draining"
    """Going away: it finishes what it has and takes nothing new."""
    ASLEEP = "asleep"
    """The engine sleeps: its weights are not loaded."""
    DOWN = "down"


class Endpoint(msgspec.Struct, frozen=True):
    """A replica as discovery and health see it now."""

    address: str
    """``host:port`` with the host an IP address (IPv6 in brackets): what the data plane connects to."""
    pool: str
    """The provider model whose replica this is."""
    models: frozenset[str] = frozenset()
    """Names the engine serves: its base model, aliases, loaded LoRA adapters. Empty: not known, so any."""
    role: Role = Role.BOTH
    labels: Mapping[str, str] = {}
    health: Health = Health.UNKNOWN
    name: str = ""
    """What people call it: a pod's name, a host name."""
    url: str = ""
    """Base URL as the operator wrote it, for probes and engine calls; empty means ``http://address``."""

    @property
    def base_url(self) -> str:
        """Where the engine's own HTTP API is, without a slash at the end."""
        return (self.url or f"http://{self.address}").rstrip("/")
