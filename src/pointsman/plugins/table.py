"""Every plugin a decision may carry: type in the document to the object that runs. One table."""

from collections.abc import Callable
from typing import Any

from pointsman.config.decisions import Decision
from pointsman.plugins.base import EarlyAnswer, Rewrite
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.header_mutation import HeaderMutation
from pointsman.plugins.system_prompt import SystemPrompt

Built = EarlyAnswer | Rewrite


def _system_prompt(configuration: Any) -> Built | None:
    enabled = configuration.enabled is not False and configuration.system_prompt
    if not enabled:
        return None
    return SystemPrompt(configuration.system_prompt, replace=configuration.mode == "replace")


def _header_mutation(configuration: Any) -> Built | None:
    edits = {header.name: header.value for header in (*configuration.add, *configuration.update)}
    return HeaderMutation(edits, tuple(configuration.delete))


def _fast_response(configuration: Any) -> Built | None:
    return FastResponse(configuration.message)


FACTORIES: dict[str, Callable[[Any], Built | None]] = {
    "fast_response": _fast_response,
    "system_prompt": _system_prompt,
    "header_mutation": _header_mutation,
}
"""In the order they run, whatever order the document lists them in."""


def build_plugins(decision: Decision) -> tuple[Built, ...]:
    """The decision's implemented and enabled plugins; ``check`` lists the others."""
    configured = {plugin.type: plugin.configuration for plugin in decision.plugins}
    built = (FACTORIES[kind](configured[kind]) for kind in FACTORIES if kind in configured)
    return tuple(plugin for plugin in built if plugin is not None)
