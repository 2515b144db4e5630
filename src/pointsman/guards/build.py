"""Guards from the document."""

from collections.abc import Collection

from pointsman.config.document import Settings
from pointsman.config.guards import JailbreakGuard, PiiGuard
from pointsman.guards.reading import Scanner, Wanted
from pointsman.guards.request import Action, JailbreakCheck, PiiCheck, RequestGuards


def request_guards(settings: Settings, scanner: Scanner, *, timeout_s: float) -> RequestGuards | None:
    """The document's default policy; ``None`` when it has none."""
    written = settings.guards
    if written.jailbreak is None and written.pii is None:
        return None
    return RequestGuards(
        scanner,
        jailbreak=_jailbreak(written.jailbreak, settings) if written.jailbreak else None,
        pii=_pii(written.pii, settings) if written.pii else None,
        max_characters=written.max_characters,
        timeout_s=timeout_s,
    )


def jailbreak_threshold(settings: Settings, written: float | None) -> float:
    """What is written, or what the prompt guard has."""
    return settings.global_.model_catalog.modules.prompt_guard.threshold if written is None else written


def wanted(
    settings: Settings, types: Collection[str], allowed: Collection[str], threshold: float | None
) -> Wanted:
    """Which personal data counts; without any threshold in the document, each kind has its own."""
    module = settings.global_.model_catalog.modules.classifier.pii
    usual = module.threshold if "threshold" in module.model_fields_set else None
    return Wanted.of(types, allowed, usual if threshold is None else threshold)


def _jailbreak(guard: JailbreakGuard, settings: Settings) -> JailbreakCheck:
    return JailbreakCheck(
        Action(guard.action),
        threshold=jailbreak_threshold(settings, guard.threshold),
        message=guard.message,
        include_history=guard.include_history,
        include_system=guard.include_system,
        model=guard.model,
        status=guard.status,
    )


def _pii(guard: PiiGuard, settings: Settings) -> PiiCheck:
    return PiiCheck(
        Action(guard.action),
        wanted=wanted(settings, guard.types, guard.types_allowed, guard.threshold),
        message=guard.message,
        include_history=guard.include_history,
        model=guard.model,
        status=guard.status,
    )
