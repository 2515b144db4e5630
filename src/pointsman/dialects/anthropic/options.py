"""Tools, tool choice and reasoning effort of a request, in both vocabularies."""

from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.dialects.anthropic.loss import Losses, Reason
from pointsman.dialects.anthropic.wire import read
from pointsman.dialects.body import Body, parse_object

LOW_BUDGET, MEDIUM_BUDGET = 4096, 16384
"""Thinking budgets in tokens up to which an effort is called low, or medium; above it is high."""

_EMPTY_SCHEMA = {"type": "object", "properties": {}}
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_FROM_EFFORTS = {"minimal": "low", **{effort: effort for effort in _EFFORTS}}


class _Tool(msgspec.Struct):
    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None
    allowed_callers: Any = None
    defer_loading: Any = None
    eager_input_streaming: Any = None
    input_examples: Any = None


class _ToolChoice(msgspec.Struct):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _ChatTool(msgspec.Struct):
    type: str
    function: _Function | None = None


class _Named(msgspec.Struct):
    name: str


class _Allowed(msgspec.Struct):
    mode: str = "auto"


class _ChatToolChoice(msgspec.Struct):
    type: str
    function: _Named | None = None
    allowed_tools: _Allowed | None = None


class _Thinking(msgspec.Struct):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None
    format: Any = None


_TOOLS = msgspec.json.Decoder(list[_Tool] | None)
_CHOICE = msgspec.json.Decoder(_ToolChoice | None)
_CHAT_TOOLS = msgspec.json.Decoder(list[_ChatTool] | None)
_CHAT_CHOICE = msgspec.json.Decoder(str | _ChatToolChoice | None)
_THINKING = msgspec.json.Decoder(_Thinking | None)
_OUTPUT = msgspec.json.Decoder(_OutputConfig | None)
_EFFORT = msgspec.json.Decoder(str | None)
_FLAG = msgspec.json.Decoder(bool | None)
_NULL = msgspec.Raw(b"null")


def tools_to_chat(body: Body, losses: Losses) -> dict[str, Any]:
    """``tools`` for OpenAI; tools the provider runs itself have no equivalent."""
    tools = []
    for index, tool in enumerate(_field(body, "tools", _TOOLS) or []):
        if tool.type not in {None, "custom"}:
            losses.lossy(Reason.SERVER_TOOL, f"tools[{index}]")
            continue
        for name in ("allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"):
            if getattr(tool, name) is not None:
                losses.info(Reason.DROPPED, f"tools[{index}].{name}")
        tools.append({"type": "function", "function": _function(tool)})
    return {"tools": tools} if tools else {}


def _function(tool: _Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.input_schema or _EMPTY_SCHEMA}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return function


def tool_choice_to_chat(body: Body, losses: Losses, *, tools: bool) -> dict[str, Any]:
    """``tool_choice`` and ``parallel_tool_calls`` for OpenAI, which refuses both without ``tools``."""
    choice = _field(body, "tool_choice", _CHOICE)
    if choice is None:
        return {}
    words: dict[str, Any] = {"auto": "auto", "any": "required", "none": "none"}
    if choice.type == "tool":
        if not choice.name:
            raise RequestError("missing required field: tool_choice.name", param="tool_choice.name")
        words["tool"] = {"type": "function", "function": {"name": choice.name}}
    if choice.type not in words:
        raise RequestError("tool_choice.type: expected auto, any, tool or none", param="tool_choice.type")
    if not tools:
        losses.lossy(Reason.DROPPED, "tool_choice")
        return {}
    parallel = {"parallel_tool_calls": False} if choice.disable_parallel_tool_use else {}
    return {"tool_choice": words[choice.type], **parallel}


def thinking_to_effort(body: Body, losses: Losses) -> dict[str, Any]:
    """``reasoning_effort`` from ``output_config.effort`` or, without it, from the thinking budget.

    Thinking that is off, adaptive or interleaved has no word of its own: the engine's default holds.
    """
    config, thinking = _field(body, "output_config", _OUTPUT), _field(body, "thinking", _THINKING)
    if thinking is not None and thinking.type == "disabled":
        losses.lossy(Reason.DROPPED, "thinking")
    elif thinking is not None and thinking.type not in {"enabled", "adaptive"}:
        losses.lossy(Reason.DROPPED, "thinking.type")
    if config is not None and config.effort is not None:
        if _EFFORTS.get(config.effort) != config.effort:
            losses.info(Reason.COERCED, "output_config.effort")
        return {"reasoning_effort": _EFFORTS.get(config.effort, "high")}
    if thinking is None or thinking.type != "enabled" or thinking.budget_tokens is None:
        return {}
    losses.info(Reason.COERCED, "thinking.budget_tokens")
    if thinking.budget_tokens <= LOW_BUDGET:
        return {"reasoning_effort": "low"}
    return {"reasoning_effort": "medium" if thinking.budget_tokens <= MEDIUM_BUDGET else "high"}


def hides_thinking(raw: bytes) -> bool:
    """Whether a Messages request asks not to see reasoning (``thinking`` disabled, or display omitted)."""
    thinking = _field(parse_object(raw), "thinking", _THINKING)
    return thinking is not None and (thinking.type == "disabled" or thinking.display == "omitted")


def tools_from_chat(body: Body, losses: Losses) -> dict[str, Any]:
    """``tools`` for Anthropic."""
    tools = []
    for index, tool in enumerate(_field(body, "tools", _CHAT_TOOLS) or []):
        if tool.type != "function" or tool.function is None:
            losses.lossy(Reason.DROPPED, f"tools[{index}]")
            continue
        out: dict[str, Any] = {
            "name": tool.function.name,
            "input_schema": tool.function.parameters or _EMPTY_SCHEMA,
        }
        if tool.function.description is not None:
            out["description"] = tool.function.description
        if tool.function.strict is not None:
            out["strict"] = tool.function.strict
        tools.append(out)
    return {"tools": tools} if tools else {}


def tool_choice_from_chat(body: Body, losses: Losses, *, tools: bool) -> dict[str, Any]:
    """``tool_choice`` for Anthropic, which also holds the word on parallel calls."""
    choice = _field(body, "tool_choice", _CHAT_CHOICE)
    serial = _field(body, "parallel_tool_calls", _FLAG) is False
    if choice is None and not serial:
        return {}
    if not tools:
        if choice not in {None, "none", "auto"}:
            losses.lossy(Reason.DROPPED, "tool_choice")
        return {}
    out = _choice(choice, losses)
    if serial and out["type"] != "none":
        out["disable_parallel_tool_use"] = True
    return {"tool_choice": out}


def _choice(choice: str | _ChatToolChoice | None, losses: Losses) -> dict[str, Any]:
    words = {"auto": "auto", "required": "any", "none": "none"}
    if isinstance(choice, _ChatToolChoice):
        if choice.function is not None:
            return {"type": "tool", "name": choice.function.name}
        if choice.allowed_tools is not None:
            losses.lossy(Reason.COERCED, "tool_choice.allowed_tools")
            return {"type": words.get(choice.allowed_tools.mode, "auto")}
        raise RequestError("missing required field: tool_choice.function", param="tool_choice.function")
    if choice is not None and choice not in words:
        raise RequestError(
            "tool_choice: expected auto, required, none or a named function", param="tool_choice"
        )
    return {"type": words[choice or "auto"]}


def effort_from_chat(body: Body, losses: Losses) -> dict[str, Any]:
    """``output_config.effort`` from ``reasoning_effort``; ``none`` turns thinking off."""
    effort = _field(body, "reasoning_effort", _EFFORT)
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    if effort not in _FROM_EFFORTS:
        losses.lossy(Reason.DROPPED, "reasoning_effort")
        return {}
    if _FROM_EFFORTS[effort] != effort:
        losses.info(Reason.COERCED, "reasoning_effort")
    return {"output_config": {"effort": _FROM_EFFORTS[effort]}}


def _field(body: Body, name: str, decoder: msgspec.json.Decoder[Any]) -> Any:
    return read(body.fields.get(name, _NULL), decoder, path=name)
