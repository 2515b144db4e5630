"""Why something failed, as one of a few words: messages would make labels without bound."""

from pointsman.core.trace import Trace
from pointsman.observe.outcome import Outcome

_CLIENT_LEFT = frozenset({"downstream_connection_termination", "downstream_remote_reset"})
"""Envoy's flags for a client that closed its connection or stream."""

_REFUSALS = {401: "unauthorized", 403: "forbidden", 413: "too_large", 429: "overloaded", 504: "timeout"}


def refusal_reason(trace: Trace, status: int) -> str:
    """Why we refused a request with `status`; empty when our answer was not a refusal."""
    if status < 400:
        return ""
    if status in _REFUSALS:
        return _REFUSALS[status]
    if status >= 500:
        return "unavailable" if status == 503 else "internal_error"
    if trace.request is None:
        return "parse_error"
    if trace.selection is None:
        return "no_model_selected" if trace.virtual else "model_not_found"
    return "invalid_request"


def outcome_reason(outcome: Outcome) -> str:
    """Why a request that we did not answer ourselves failed; empty when it did not.

    A stream may break after its 200, which only the flags tell.
    """
    status = outcome.status
    if outcome.undecided:
        return "undecided"
    if status == 0 or not _CLIENT_LEFT.isdisjoint(outcome.flags.split(",")):
        return "cancellation"
    if status == 504:
        return "timeout"
    if status >= 500:
        return "upstream_5xx"
    if status >= 400:
        return "upstream_4xx"
    return "broken_off" if outcome.flags else ""


def signal_error_reason(error: str) -> str:
    """The class a signal's error message belongs to."""
    text = error.lower()
    if any(words in text for words in ("deadline", "timeout", "timed out", "no answer within")):
        return "timeout"
    if "busy" in text or "overload" in text or "pending" in text:
        return "overloaded"
    return "not_computed" if "not computed" in text else "failed"


def fallback_reason(reason: str) -> str:
    """The class of why a selection fell back to the first candidate."""
    if not reason.startswith("failed:"):
        return "no_data"
    return "timeout" if "TimeoutError" in reason else "failed"
