"""What is kept of a ruling until the request has ended: small, and without a word the client wrote."""

from collections.abc import Mapping

import msgspec

from pointsman.core.guard import Outcome
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Reply

MAX_NAME = 120
"""Longest model name kept, characters; a client may send any."""
MAX_ERROR = 300
"""Longest error message kept, characters; it may quote a client's model name."""


class Summary(msgspec.Struct, frozen=True):
    """One ruling without its request. Empty strings stand for what was not reached."""

    request_id: str
    requested_model: str = ""
    model: str = ""
    """Logical name of the model chosen."""
    decision: str = ""
    algorithm: str = ""
    pool: str = ""
    reply_status: int = 0
    """Status of our own answer; 0 when the request was sent on."""
    stream: bool = False
    virtual: bool = False
    signals: tuple[str, ...] = ()
    """Signals that matched, as `family:name`."""
    guards: tuple[str, ...] = ()
    """Guards that found something or failed, as `guard:outcome`."""
    error: str = ""
    phases_us: Mapping[str, float] = {}
    decision_us: float = 0.0

    @classmethod
    def of(cls, ruling: Ruling) -> "Summary":
        """Reduce a ruling to what its log line and metrics need."""
        trace, verdict = ruling.trace, ruling.verdict
        reply = isinstance(verdict, Reply)
        request, selection = trace.request, trace.selection
        return cls(
            request_id=trace.request_id,
            requested_model=request.model[:MAX_NAME] if request else "",
            model=selection.candidate.target.name if selection else "",
            decision=decision_name(trace),
            algorithm=selection.algorithm if selection else "",
            pool="" if isinstance(verdict, Reply) else verdict.pool,
            reply_status=verdict.status if isinstance(verdict, Reply) else 0,
            stream=bool(request and request.stream),
            virtual=trace.virtual,
            signals=tuple(str(signal.key) for signal in trace.signals if signal.matched),
            guards=tuple(str(each) for each in trace.guards if each.outcome != Outcome.CLEAN),
            error=trace.error[:MAX_ERROR] if reply else "",
            phases_us=trace.phases_us,
            decision_us=decision_us(trace),
        )


def decision_name(trace: Trace) -> str:
    """Name of the decision that won, or an empty string."""
    return trace.match.decision.name if trace.match and trace.match.decision else ""


def decision_us(trace: Trace) -> float:
    """Wall time of the whole ruling, microseconds."""
    total = trace.phases_us.get("total")
    return sum(trace.phases_us.values()) if total is None else total
