"""Every plugin a decision may carry: type in the document to the object that runs. One table."""

from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.config.decisions import Decision
from pointsman.config.document import Settings
from pointsman.plugins.base import EarlyAnswer, Rewrite
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.header_mutation import HeaderMutation
from pointsman.plugins.system_prompt import SystemPrompt

Built = EarlyAnswer | Rewrite


class Dependencies(msgspec.Struct, frozen=True):
    """What plugins need beside their own configuration."""

    encoder: TextEncoder
    settings: Settings
    where: str = "routing"
    """Key path of the decision whose plugins are built, for problems."""


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


FACTORIES: dict[str, Factory] = {
    "fast_response": _fast_response,
    "system_prompt": _system_prompt,
    "header_mutation": _header_mutation,
}
"""In the order they run, whatever order the document lists them in."""


def build_plugins(decision: Decision, dependencies: Dependencies) -> tuple[Built, ...]:
    """The decision's implemented and enabled plugins; ``check`` lists the others."""
    configured = {plugin.type: plugin.configuration for plugin in decision.plugins}
    built = (FACTORIES[kind](configured[kind], dependencies) for kind in FACTORIES if kind in configured)
    return tuple(plugin for plugin in built if plugin is not None)
