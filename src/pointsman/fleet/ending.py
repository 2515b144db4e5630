"""What the end of a request says about those that served it."""

from enum import StrEnum

import msgspec

_UNREACHED = frozenset(
    {
        "failed_local_healthcheck",
        "no_healthy_upstream",
        "upstream_connection_failure",
        "no_route_found",
        "no_cluster_found",
        "dns_resolution_failure",
    }
)
"""Envoy's response flags, by the names of its access log, that mean: no endpoint was reached."""
_EXHAUSTED = "upstream_retry_limit_exceeded"
_CLIENT_LEFT = frozenset({"downstream_connection_termination", "downstream_remote_reset"})
_EVENT_BYTES = 200
"""Bytes of one streamed token of vLLM's chat completions beside the model's name: an id, a time, a delta."""


class Verdict(StrEnum):
    """What an end says about the endpoints of a pool."""

    REACHED = "reached"
    UNREACHED = "unreached"
    INCONCLUSIVE = "inconclusive"


class Ending(msgspec.Struct, frozen=True):
    """How one request ended, as far as the data plane told. Fields it did not tell keep their defaults."""

    status: int = 0
    """HTTP status the client saw; 0 when none is known."""
    flags: frozenset[str] = frozenset()
    endpoint: str = ""
    ttfb_ms: float | None = None
    duration_ms: float | None = None
    response_bytes: int = 0
    stream: bool = False
    """Whether the client asked for a stream: only then the first byte comes with the first token."""

    @property
    def verdict(self) -> Verdict:
        """A 503 that no endpoint gave counts as unreached, so a foreign data plane's 503 does, too.

        A server error of an endpoint is inconclusive: it was reached, which does not make it well.
        """
        if self.flags & _UNREACHED or (_EXHAUSTED in self.flags and self.status >= 500):
            return Verdict.UNREACHED
        if self.status == 503 and not self.endpoint and not self.flags:
            return Verdict.UNREACHED
        if 0 < self.status < 500 and (self.endpoint or not self.flags):
            return Verdict.REACHED
        return Verdict.INCONCLUSIVE

    @property
    def success(self) -> bool | None:
        """Whether the answer came whole; ``None`` when that is not the model's doing or not known."""
        if not self.status or self.flags & _CLIENT_LEFT or 400 <= self.status < 500:
            return None
        return self.status < 400 and not self.flags

    def tpot_ms(self, model: str) -> float | None:
        """Time per output token, estimated: no token is counted, but its event has about a known size."""
        if self.ttfb_ms is None or self.duration_ms is None or not self.stream:
            return None
        tokens = self.response_bytes / (_EVENT_BYTES + len(model))
        spent = self.duration_ms - self.ttfb_ms
        return spent / (tokens - 1) if tokens >= 2 and spent >= 0 else None
