"""The databases of tools that a document refers to, each read and embedded once."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pointsman.config.document import Settings
from pointsman.config.plugins import ToolSelectionPlugin, ToolsPlugin
from pointsman.config.routing import Routing
from pointsman.core.problem import Problem, Severity
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.tool_database import read_tools
from pointsman.plugins.tool_index import ToolIndex, index_now

_GLOBAL = "global.integrations.tools.tools_db_path"
IMAGE_FILE = "config/tools_db.json"
"""Where the upstream router's image carries example tools: documents name it without bringing such a file."""


def open_tool_sets(settings: Settings, encoder: TextEncoder) -> Mapping[str, ToolIndex]:
    """Tools by the path the document writes. Raises ``ConfigError`` for a file that cannot be used.

    ``IMAGE_FILE`` may be missing, as ``absent`` tells: then no tools are added to what callers bring.
    """
    return {
        path: index_now(read_tools(path, where), encoder)
        for path, where in dict(reversed([*_referred(settings)])).items()
        if not _missing(path)
    }


def absent(settings: Settings) -> Iterator[Problem]:
    """A warning for each place that relies on the tools of an image which are not here."""
    for path, where in _referred(settings):
        if _missing(path):
            yield Problem(
                Severity.WARNING,
                where,
                f"{path} is not here: no tools are added to those that callers bring",
                "bring a file of your tools, or write builtin:assistant for those of the package",
            )


def _missing(path: str) -> bool:
    return path == IMAGE_FILE and not Path(path).exists()


def _referred(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each path with the key path of who names it."""
    if settings.global_.integrations.tools.enabled:
        yield settings.global_.integrations.tools.tools_db_path, _GLOBAL
    yield from _referred_in(settings, settings.routing, "routing")
    for number, recipe in enumerate(settings.recipes):
        yield from _referred_in(settings, recipe.routing, f"recipes[{number}].routing")


def _referred_in(settings: Settings, routing: Routing, where: str) -> Iterator[tuple[str, str]]:
    shared = settings.global_.integrations.tools.tools_db_path
    for index, decision in enumerate(routing.decisions):
        for position, plugin in enumerate(decision.plugins):
            path = f"{where}.decisions[{index}].plugins[{position}].configuration"
            if (
                isinstance(plugin, ToolsPlugin)
                and plugin.configuration.enabled
                and plugin.configuration.semantic_selection
                and plugin.configuration.mode != "none"
            ):
                yield shared, f"{path}.semantic_selection"
            if (
                isinstance(plugin, ToolSelectionPlugin)
                and plugin.configuration.enabled
                and plugin.configuration.mode == "add"
            ):
                yield plugin.configuration.tools_db_path or shared, f"{path}.tools_db_path"
