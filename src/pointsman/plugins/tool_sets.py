"""The databases of tools that a document refers to, each read and embedded once."""

from collections.abc import Iterator, Mapping

from pointsman.config.document import Settings
from pointsman.config.plugins import ToolSelectionPlugin, ToolsPlugin
from pointsman.config.routing import Routing
from pointsman.plugins.encoder import TextEncoder
from pointsman.plugins.tool_database import read_tools
from pointsman.plugins.tool_index import ToolIndex, index_now

_GLOBAL = "global.integrations.tools.tools_db_path"


def open_tool_sets(settings: Settings, encoder: TextEncoder) -> Mapping[str, ToolIndex]:
    """Tools by the path the document writes. Raises ``ConfigError`` for a file that cannot be used."""
    return {
        path: index_now(read_tools(path, where), encoder)
        for path, where in dict(reversed([*_referred(settings)])).items()
    }


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
