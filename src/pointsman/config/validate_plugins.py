"""What must hold within a plugin's settings."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import TypeAdapter, ValidationError

from pointsman.config.base import Tokens
from pointsman.config.faults import error
from pointsman.config.plugins import Plugin, RequestParams, Tools
from pointsman.config.plugins_context import ContextCompression
from pointsman.core.problem import Problem

COMPRESSION_MODES: Final = ("auto", "always", "off")
COMPRESSION_DIRECTIVES: Final = ("bypass", "target")
_TOKENS = TypeAdapter(Tokens)
_REQUIRED: Final = frozenset({"model", "messages", "prompt", "input"})


def plugin_problems(plugins: Sequence[Plugin], path: str) -> Iterator[Problem]:
    """Settings that contradict each other, or would leave no request."""
    for index, plugin in enumerate(plugins):
        where, settings = f"{path}[{index}].configuration", plugin.configuration
        if isinstance(settings, RequestParams):
            yield from _request_params(settings, where)
        if isinstance(settings, Tools):
            yield from _tools(settings, where)
        if isinstance(settings, ContextCompression):
            yield from _compression(settings, where)


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


def _compression(settings: ContextCompression, where: str) -> Iterator[Problem]:
    if settings.mode not in COMPRESSION_MODES:
        remedy = f"use one of {', '.join(COMPRESSION_MODES)}"
        yield error(f"{where}.mode", f"{settings.mode!r} is no way to compress", remedy)
    for key in ("trigger_tokens", "target_tokens", "reserve_output_tokens"):
        written = getattr(settings.budget, key)
        if written != "auto" and not _is_count(written):
            message = f"{written!r} is no number of tokens"
            yield error(f"{where}.budget.{key}", message, "write auto, or a number such as 8000 or 32K")
    for index, name in enumerate(settings.request_controls.allowed):
        if name not in COMPRESSION_DIRECTIVES:
            remedy = f"use {' or '.join(COMPRESSION_DIRECTIVES)}"
            yield error(f"{where}.request_controls.allowed[{index}]", f"{name!r} is no directive", remedy)


def _is_count(written: str) -> bool:
    try:
        return _TOKENS.validate_python(written) > 0
    except ValidationError:
        return False
