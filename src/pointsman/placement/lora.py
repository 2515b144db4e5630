"""The adapter scorer: who has the LoRA adapter at work need not load it."""

from collections.abc import Sequence

from pointsman.placement.base import Asked, Scores, View


class LoadedAdapter:
    """What engines report of the adapters that requests run or wait for."""

    name = "lora"

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """1 where the adapter is at work; 0 elsewhere, and everywhere for a request without one."""
        if not asked.base:
            return [0.0] * len(views)
        reports = (view.load.report for view in views)
        return [float(report is not None and asked.model in report.loras) for report in reports]
