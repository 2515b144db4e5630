"""From which score on a finding counts."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from pointsman.pii.finding import Finding, Label

USUAL = 0.5
THRESHOLDS: Mapping[str, float] = MappingProxyType(
    {
        Label.DATE_TIME: 0.6,
        Label.ORGANIZATION: 0.6,
        Label.GPE: 0.6,
        Label.NRP: 0.6,
    }
)
"""Labels that need more than the usual score, because what they name is seldom personal by itself."""


def confident(
    findings: Iterable[Finding], *, threshold: float | None = None, labels: Collection[str] = ()
) -> tuple[Finding, ...]:
    """The findings at or above `threshold`, by default each label's own; of `labels`, by default all."""
    return tuple(
        finding
        for finding in findings
        if finding.score >= (THRESHOLDS.get(finding.label, USUAL) if threshold is None else threshold)
        and (not labels or finding.label in labels)
    )
