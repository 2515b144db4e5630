"""What must hold within a plugin's settings."""

from collections.abc import Iterator, Sequence
from typing import Final

from pointsman.config.faults import error
from pointsman.config.plugins import Plugin, RequestParams, Tools
from pointsman.core.problem import Problem

_REQUIRED: Final = frozenset({"model", "messages", "prompt", "input"})


def plugin_problems(plugins: Sequence[Plugin], path: str) -> Iterator[Problem]:
    """Settings that contradict each other, or would leave no request."""
    for index, plugin in enumerate(plugins):
        where, settings = f"{path}[{index}].configuration", plugin.configuration
        if isinstance(settings, RequestParams):
            yield from _request_params(settings, where)
        if isinstance(settings, Tools):
            yield from _tools(settings, where)


def _request_params(settings: RequestParams, where: str) -> Iterator[Problem]:
    for index, name in enumerate(settings.blocked_params):
        if name in _REQUIRED:
            message = f"{name!r} cannot be removed: without it there is no request"
            yield error(f"{where}.blocked_params[{index}]", message, "leave it out")


def _tools(settings: Tools, where: str) -> Iterator[Problem]:
    listed = settings.allow_tools or settings.block_tools
    if listed and settings.mode != "filtered":
        key = "allow_tools" if settings.allow_tools else "block_tools"
        message = f"has no effect in mode {settings.mode}"
        yield error(f"{where}.{key}", message, "set mode: filtered, or remove the list")
    if settings.strip_tool_history and settings.mode != "none":
        message = f"has no effect in mode {settings.mode}: the tools stay"
        yield error(f"{where}.strip_tool_history", message, "set mode: none, or remove it")
