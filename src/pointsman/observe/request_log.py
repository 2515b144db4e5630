"""The one line a request leaves in the log."""

from typing import Any

import structlog

from pointsman.observe.journal import Entry
from pointsman.observe.outcome import Outcome
from pointsman.observe.reasons import outcome_reason
from pointsman.observe.summary import Summary

EVENT = "request"


class RequestLog:
    """Writes entries as lines, a warning where the client saw a 5xx or an answer that broke off."""

    def __init__(self, logger: structlog.typing.FilteringBoundLogger) -> None:
        self._logger = logger

    def write(self, entry: Entry) -> None:
        """Write one entry."""
        write = self._logger.warning if _troubled(entry) else self._logger.info
        write(EVENT, **line(entry))


def line(entry: Entry) -> dict[str, Any]:
    """The fields of an entry's line; those that are empty or unknown are left out, a status of 0 is not."""
    fields: dict[str, Any] = {"request_id": entry.request_id, "status": entry.status}
    if entry.summary is not None:
        fields |= _ruling_fields(entry.summary)
    if entry.outcome is not None:
        fields |= {
            name: value for name, value in _outcome_fields(entry.outcome).items() if name not in fields
        }
    fields["incomplete"] = entry.incomplete
    return {name: value for name, value in fields.items() if value not in ("", None, [], {})}


def _troubled(entry: Entry) -> bool:
    if entry.status >= 500:
        return True
    reason = outcome_reason(entry.outcome) if entry.outcome else ""
    return reason not in {"", "upstream_4xx", "cancellation"}


def _ruling_fields(summary: Summary) -> dict[str, Any]:
    fields = {
        "decision": summary.decision,
        "algorithm": summary.algorithm,
        "requested_model": summary.requested_model,
        "model": summary.model,
        "pool": summary.pool,
        "virtual": summary.virtual,
        "stream": summary.stream,
        "signals": list(summary.signals),
        "guards": list(summary.guards),
        "error": summary.error,
        "decision_us": round(summary.decision_us, 1),
        "phases_us": {phase: round(spent, 1) for phase, spent in summary.phases_us.items()},
    }
    # What the ruling does not know is left for the outcome to say.
    return {name: value for name, value in fields.items() if value != ""}


def _outcome_fields(outcome: Outcome) -> dict[str, Any]:
    return {
        "method": outcome.method,
        "path": outcome.path.partition("?")[0],
        "pool": outcome.pool,
        "model": outcome.model,
        "endpoint": outcome.endpoint,
        "flags": outcome.flags,
        "details": "" if outcome.details == "via_upstream" else outcome.details,
        "undecided": outcome.undecided or None,
        "attempts": outcome.attempts,
        "duration_ms": _rounded(outcome.duration_ms),
        "ttft_ms": _rounded(outcome.ttfb_ms),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
