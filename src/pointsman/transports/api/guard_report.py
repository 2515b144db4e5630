"""Inspections in the shapes of the management API."""

from collections.abc import Iterable

from pointsman.core.errors import RequestError
from pointsman.pii import Finding, Label, confident, masked
from pointsman.transports.api.backend import Inspection
from pointsman.transports.api.shapes_guard import (
    PiiEntity,
    PiiOptions,
    PiiResponse,
    SecurityOptions,
    SecurityResponse,
)

JAILBREAK = "jailbreak"
_HIDDEN = "[DETECTED]"
_DISGUISED = "disguised_text"


def labels_asked(options: PiiOptions) -> frozenset[str]:
    """The labels to look for. Raises `RequestError` for an unknown one: ignored, it would look clean."""
    known = {str(label) for label in Label}
    asked = frozenset(name.upper() for name in options.entity_types)
    if unknown := sorted(asked - known):
        message = f"options.entity_types: {unknown[0]!r} is none of {', '.join(sorted(known))}"
        raise RequestError(message, param="options.entity_types")
    return asked


def pii_response(text: str, inspection: Inspection, options: PiiOptions, *, elapsed_ms: int) -> PiiResponse:
    """The answer of `classify/pii`."""
    findings = confident(
        inspection.findings, threshold=options.confidence_threshold, labels=labels_asked(options)
    )
    covered, placeholders = masked(text, findings)
    return PiiResponse(
        has_pii=bool(findings),
        entities=list(_entities(text, findings, placeholders, options)),
        security_recommendation="block" if findings else "allow",
        processing_time_ms=elapsed_ms,
        masked_text=covered if options.mask_entities and findings else "",
        sampled=inspection.sampled,
    )


def security_response(
    inspection: Inspection, options: SecurityOptions, *, elapsed_ms: int
) -> SecurityResponse:
    """The answer of `classify/security`."""
    blocked = is_jailbreak(inspection, options.sensitivity)
    found = [JAILBREAK] if blocked else []
    return SecurityResponse(
        is_jailbreak=blocked,
        risk_score=inspection.jailbreak,
        detection_types=found,
        confidence=verdict_confidence(inspection, options.sensitivity),
        recommendation="block" if blocked else "allow",
        patterns_detected=[*found, *([_DISGUISED] if inspection.disguised else [])],
        processing_time_ms=elapsed_ms,
        reasoning=_reasoning(inspection, options) if options.include_reasoning else "",
        sampled=inspection.sampled,
    )


def is_jailbreak(inspection: Inspection, sensitivity: str = "") -> bool:
    """Whether the probability reaches the threshold."""
    return inspection.jailbreak >= _threshold(inspection, sensitivity)


def verdict_confidence(inspection: Inspection, sensitivity: str = "") -> float:
    """The probability of what is_jailbreak says."""
    blocked = is_jailbreak(inspection, sensitivity)
    return inspection.jailbreak if blocked else 1 - inspection.jailbreak


def _threshold(inspection: Inspection, sensitivity: str) -> float:
    """The document's threshold, moved half of the way to 0 for `high` and half of the way to 1 for `low`."""
    if sensitivity == "high":
        return inspection.threshold / 2
    return (1 + inspection.threshold) / 2 if sensitivity == "low" else inspection.threshold


def _reasoning(inspection: Inspection, options: SecurityOptions) -> str:
    start, end = inspection.place
    threshold = _threshold(inspection, options.sensitivity)
    disguise = "; hidden or look-alike characters stand in words" if inspection.disguised else ""
    return (
        f"most suspicious in characters {start} to {end}: probability {inspection.jailbreak:.3f}, "
        f"threshold {threshold:.3f}{disguise}"
    )


def _entities(
    text: str, findings: Iterable[Finding], placeholders: Iterable[str], options: PiiOptions
) -> Iterable[PiiEntity]:
    for finding, placeholder in zip(findings, placeholders, strict=True):
        yield PiiEntity(
            type=finding.label,
            value=text[finding.start : finding.end] if options.reveal_entity_text else _HIDDEN,
            confidence=finding.score,
            start_position=finding.start if options.return_positions else None,
            end_position=finding.end if options.return_positions else None,
            masked_value=placeholder if options.mask_entities else "",
            evidence=finding.evidence,
        )
