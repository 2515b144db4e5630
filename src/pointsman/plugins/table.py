"""Every plugin a decision may carry: type in the document to the object that runs. One table."""

from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.cache.answers import Answers
from pointsman.cache.news import Tell, untold
from pointsman.config.decisions import Decision
from pointsman.config.document import Settings
from pointsman.guards.build import jailbreak_threshold, wanted
from pointsman.guards.watching import Check, Report, unreported
from pointsman.plugins.base import EarlyAnswer, Rewrite
from pointsman.plugins.cache_settings import fingerprint_of, rules_from
from pointsman.plugins.compression_settings import compression_from
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.header_mutation import HeaderMutation
from pointsman.plugins.pii_mask import NoPiiMask, PiiMask
from pointsman.plugins.request_params import RequestParams
from pointsman.plugins.response_cache import ResponseCache
from pointsman.plugins.response_guard import ResponseGuard
from pointsman.plugins.system_prompt import SystemPrompt
from pointsman.plugins.tool_settings import ToolSets, selection_from, shared_selection, tools_from

Built = EarlyAnswer | Rewrite | ResponseCache


class Dependencies(msgspec.Struct, frozen=True):
    """What plugins need beside their own configuration."""

    encoder: TextEncoder
    settings: Settings
    where: str = "routing"
    """Key path of the decision whose plugins are built, for problems."""
    tool_sets: ToolSets = {}
    """The databases of tools that the document refers to, by path."""
    report: Report = unreported
    """Told what guards found."""
    answers: Answers | None = None
    """Where answers are kept; ``None`` keeps none."""
    recalled: Tell = untold
    """Told what the cache did."""
    engine: str = ""
    """Identity of the encoder, for vectors that are kept."""
    decision: Decision | None = None
    """The decision whose plugins are built."""


Factory = Callable[[Any, Dependencies], Built | None]
"""Builds a plugin from its configuration; ``None`` for one that is switched off."""


def _system_prompt(configuration: Any, _: Dependencies) -> Built | None:
    enabled = configuration.enabled is not False and configuration.system_prompt
    if not enabled:
        return None
    return SystemPrompt(configuration.system_prompt, replace=configuration.mode == "replace")


def _header_mutation(configuration: Any, _: Dependencies) -> Built | None:
    edits = {header.name: header.value for header in (*configuration.add, *configuration.update)}
    return HeaderMutation(edits, tuple(configuration.delete))


def _fast_response(configuration: Any, _: Dependencies) -> Built | None:
    return FastResponse(configuration.message)


def _response_cache(configuration: Any, given: Dependencies) -> Built | None:
    kept = given.settings.global_.stores.response_cache.enabled
    if not configuration.enabled or not kept or given.answers is None or given.decision is None:
        return None
    return ResponseCache(
        given.answers,
        given.encoder,
        given.engine,
        rules_from(configuration, given.settings, given.decision),
        given.decision.name,
        fingerprint_of(configuration, given.settings, given.decision),
        given.recalled,
    )


def _request_params(configuration: Any, _: Dependencies) -> Built | None:
    return RequestParams(
        frozenset(configuration.blocked_params),
        max_tokens=configuration.max_tokens_limit,
        max_answers=configuration.max_n,
        strip_unknown=configuration.strip_unknown,
    )


def _tools(configuration: Any, given: Dependencies) -> Built | None:
    return tools_from(configuration, given.settings, given.encoder, given.tool_sets)


def _tool_selection(configuration: Any, given: Dependencies) -> Built | None:
    if not configuration.enabled:
        return None
    return selection_from(configuration, given.settings, given.encoder, given.tool_sets)


def _pii_mask(configuration: Any, given: Dependencies) -> Built | None:
    if not configuration.enabled:
        return NoPiiMask()
    return PiiMask(
        given.encoder,
        wanted(given.settings, configuration.types, configuration.types_allowed, configuration.threshold),
        limit=given.settings.guards.max_characters,
        report=given.report,
    )


def _response_pii(configuration: Any, given: Dependencies) -> Built | None:
    if not configuration.enabled:
        return None
    kinds = wanted(given.settings, configuration.types, configuration.types_allowed, configuration.threshold)
    return ResponseGuard(
        Check(
            "response_pii",
            configuration.action,
            given.encoder,
            given.report,
            wanted=kinds,
            window=configuration.window_characters,
        )
    )


def _response_jailbreak(configuration: Any, given: Dependencies) -> Built | None:
    if not configuration.enabled:
        return None
    return ResponseGuard(
        Check(
            "response_jailbreak",
            configuration.action,
            given.encoder,
            given.report,
            threshold=jailbreak_threshold(given.settings, configuration.threshold),
            window=configuration.window_characters,
        )
    )


def _context_compression(configuration: Any, given: Dependencies) -> Built | None:
    return compression_from(configuration, given.settings)


FACTORIES: dict[str, Factory] = {
    "fast_response": _fast_response,
    "response_cache": _response_cache,
    "context_compression": _context_compression,
    "tool_selection": _tool_selection,
    "tools": _tools,
    "request_params": _request_params,
    "system_prompt": _system_prompt,
    "header_mutation": _header_mutation,
    "pii_mask": _pii_mask,
    "response_pii": _response_pii,
    "response_jailbreak": _response_jailbreak,
}
"""In the order they run, whatever order the document lists them in.

What answers comes before what rewrites; the cache is asked once the others are done with the request, and
listens to the answer that they leave. The conversation is shortened before anything is added to it. Tools
are chosen before the lists of ``tools`` filter them, so that no choice brings in a blocked one; parameters
are cut after everything that writes them. The system prompt and the headers are the operator's last word.
Personal data is masked last, whatever brought it into the request. Each guard reads the answer before those
above it: first the checks of what the model said, then its placeholders become values again.
"""


def build_plugins(decision: Decision, dependencies: Dependencies) -> tuple[Built, ...]:
    """The decision's implemented and enabled plugins; ``check`` lists the others."""
    dependencies = msgspec.structs.replace(dependencies, decision=decision)
    configured = {plugin.type: plugin.configuration for plugin in decision.plugins}
    built: list[Built | None] = []
    for kind, factory in FACTORIES.items():
        if kind in configured:
            built.append(factory(configured[kind], dependencies))
        elif kind == "tool_selection" and dependencies.settings.global_.integrations.tools.enabled:
            # A decision that says nothing about choosing tools is under what the document says for all.
            built.append(
                shared_selection(dependencies.settings, dependencies.encoder, dependencies.tool_sets)
            )
    return tuple(plugin for plugin in built if plugin is not None)
