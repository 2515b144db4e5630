"""From the document to the rules of a cache."""

from pointsman.cache.controls import DIRECTIVES, HEADER
from pointsman.cache.question import fingerprint
from pointsman.cache.scope import Scope
from pointsman.cache.veto import Check
from pointsman.config.decisions import Decision
from pointsman.config.document import Settings
from pointsman.config.plugins import ResponseCache
from pointsman.plugins.response_cache import Rules

DEFAULT_THRESHOLD = 0.8
"""See the figures in docs/cache.md."""
_TURN_S = 60.0


def rules_from(written: ResponseCache, settings: Settings, decision: Decision) -> Rules:
    """The plugin's settings over those of the store."""
    store = settings.global_.stores.response_cache
    thresholds = (
        written.semantic.similarity_threshold,
        written.similarity_threshold,
        store.similarity_threshold,
    )
    ttl_s = store.ttl_seconds if written.ttl_seconds is None else written.ttl_seconds
    retention = [emit.retention for emit in decision.emits]
    turns = [each.ttl_turns for each in retention if each.ttl_turns is not None]
    asked = written.request_controls
    heard = asked.enabled or bool(written.allow_request_controls)
    return Rules(
        mode=written.mode,
        scope=Scope(written.scope),
        anonymous=written.anonymous == "shared",
        threshold=next((each for each in thresholds if each is not None), DEFAULT_THRESHOLD),
        check=Check(written.semantic.word_check),
        ttl_s=min(turns) * _TURN_S if turns else ttl_s,
        stored=0 not in turns and not any(each.drop for each in retention),
        header=(asked.header or written.control_header or HEADER).lower(),
        directives=frozenset(asked.allowed or DIRECTIVES) if heard else frozenset(),
        max_ttl_s=asked.max_ttl_seconds,
        largest=store.max_answer_bytes,
        timeout_s=store.timeout_ms / 1000,
        wait_s=store.wait_ms / 1000,
    )


def fingerprint_of(written: ResponseCache, settings: Settings, decision: Decision) -> str:
    """Everything in the document that can change an answer and is not in the request the model gets."""
    guards = [plugin.model_dump() for plugin in decision.plugins if plugin.type.startswith("response_")]
    return fingerprint(
        [each for each in guards if each["type"] != "response_cache"],
        [plugin.model_dump() for plugin in decision.plugins if plugin.type == "header_mutation"],
        settings.providers.model_dump(),
        written.revision.model_dump(),
    )
