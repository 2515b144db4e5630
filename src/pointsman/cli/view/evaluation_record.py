"""An evaluation for programs: keys stay, new ones may come."""

from typing import Any

import msgspec

from pointsman.evaluation.compare import Comparison
from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.report import Report


def evaluation_json(report: Report, comparison: Comparison | None = None) -> dict[str, Any]:
    """The report as JSON-ready values; durations in microseconds, every case with its outcome."""
    plain = {
        name: msgspec.to_builtins(getattr(report, name))
        for name in report.__struct_fields__
        if name not in {"judged", "total", "costs"}
    }
    costs = [msgspec.to_builtins(cost) for cost in report.costs]
    return {
        **plain,
        "costs": costs,
        "cases": [_case(judged) for judged in report.judged],
        "comparison": msgspec.to_builtins(comparison) if comparison is not None else None,
    }


def _case(judged: Judged) -> dict[str, Any]:
    outcome = judged.outcome
    return {
        "line": judged.line,
        "right": not judged.misses,
        "misses": list(judged.misses),
        "decision": outcome.decision,
        "confidence": outcome.confidence,
        "model": outcome.model,
        "matched": sorted(outcome.matched),
        "failed": dict(outcome.failed),
        "status": outcome.status,
        "error": outcome.error,
        "prompt_tokens": outcome.prompt_tokens,
        "phases_us": dict(outcome.phases_us),
    }
