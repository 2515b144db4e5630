"""The tools of a body are replaced, and what refers to them stays valid.

A ``tool_choice`` that names a tool no longer there becomes ``auto``: the model may use what is left, or
answer in words. Where no tool is left, nothing may refer to tools: engines refuse a choice without tools.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.request import Dialect
from pointsman.dialects.body import Body
from pointsman.plugins.tool import Tool, tool_name

TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls")
LEGACY_FIELDS = ("functions", "function_call")
"""How OpenAI's API named tools before it had other kinds than functions."""
_AUTO: Mapping[Dialect, Any] = {Dialect.ANTHROPIC_MESSAGES: {"type": "auto"}}


def with_tools(body: Body, tools: Sequence[Tool], dialect: Dialect = Dialect.OPENAI_CHAT) -> Body:
    """The body with these tools and none other."""
    if not tools:
        return body.without(*TOOL_FIELDS)
    body = body.with_field("tools", [tool.definition for tool in tools])
    choice = body.get("tool_choice")
    if not isinstance(choice, Mapping):
        return body
    names = frozenset(tool.name for tool in tools)
    if choice.get("type") == "allowed_tools":
        return _with_allowed(body, choice, names)
    named = chosen_tool(choice)
    return body if not named or named in names else body.with_field("tool_choice", _AUTO.get(dialect, "auto"))


def chosen_tool(choice: Any) -> str:
    """The tool that ``tool_choice`` insists on; empty when it leaves the choice."""
    if not isinstance(choice, Mapping):
        return ""
    inner = choice.get("function", choice.get("custom", choice))
    return str(inner.get("name") or "") if isinstance(inner, Mapping) else ""


def _with_allowed(body: Body, choice: Mapping[str, Any], names: frozenset[str]) -> Body:
    """OpenAI's list of tools that may be chosen, without those no longer there."""
    nested = choice.get("allowed_tools")
    inner = nested if isinstance(nested, Mapping) else choice
    listed = inner.get("tools")
    if not isinstance(listed, list):
        return body
    left = [tool for tool in listed if isinstance(tool, Mapping) and tool_name(tool) in names]
    if not left:
        return body.with_field("tool_choice", "auto")
    changed = {**inner, "tools": left}
    value = {**choice, "allowed_tools": changed} if inner is nested else changed
    return body if len(left) == len(listed) else body.with_field("tool_choice", value)


def without_history(body: Body) -> Body:
    """Earlier calls and their results leave the conversation; what an assistant said beside them stays."""
    kept: list[Any] = []
    for raw in body.items("messages"):
        message = msgspec.json.decode(raw)
        if message.get("role") in {"tool", "function"}:
            continue
        if "tool_calls" not in message and "function_call" not in message:
            kept.append(raw)
            continue
        left = {key: value for key, value in message.items() if key not in {"tool_calls", "function_call"}}
        if left.get("content"):
            kept.append(left)
    return body.with_field("messages", kept)
