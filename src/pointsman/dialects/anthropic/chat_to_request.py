"""An OpenAI chat request as a Messages request, for providers that speak Anthropic's API."""

import re
from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.dialects.anthropic.loss import Losses, Reason, Translated
from pointsman.dialects.anthropic.options import effort_from_chat, tool_choice_from_chat, tools_from_chat
from pointsman.dialects.anthropic.tool_arguments import arguments_object
from pointsman.dialects.anthropic.wire import read, read_fields, write
from pointsman.dialects.body import Body

DEFAULT_MAX_TOKENS = 4096
"""Written when a chat request names no limit: Anthropic demands one, and its current models allow this."""

_DATA_URL = re.compile(r"data:(?P<media_type>[^;,]+);base64,(?P<data>.*)", re.DOTALL)
_FOREIGN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_SYSTEM = {"system", "developer"}
_READ = {
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "model",
    "parallel_tool_calls",
    "reasoning_effort",
    "response_format",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
    "user",
}
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "frequency_penalty": (0,),
    "logprobs": (False,),
    "n": (1,),
    "presence_penalty": (0,),
}
"""Values of fields without an equivalent that ask for nothing."""
_ONLY_BOOKKEEPING = {"metadata", "prompt_cache_key", "safety_identifier", "store"}


class _ImageUrl(msgspec.Struct):
    url: str
    detail: str | None = None


class _Part(msgspec.Struct):
    type: str
    text: str | None = None
    refusal: str | None = None
    image_url: _ImageUrl | None = None


class _Function(msgspec.Struct):
    name: str
    arguments: str = ""


class _Call(msgspec.Struct):
    id: str
    function: _Function


class _Turn(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    audio: Any = None
    function_call: Any = None


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Turn]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    user: str | None = None
    stream: bool | None = None
    response_format: dict[str, Any] | None = None


_CHAT = msgspec.json.Decoder(_Chat)


def chat_to_request(raw: bytes, *, max_tokens: int = DEFAULT_MAX_TOKENS) -> Translated:
    """Translate; ``max_tokens`` is written when the request names no limit.

    Raises ``RequestError`` naming the field at fault.
    """
    chat, body, losses = read(raw, _CHAT), read_fields(raw), Losses()
    if not chat.model:
        raise RequestError("model: must not be empty", param="model")
    system, messages = _split(chat.messages, losses)
    if not messages:
        raise RequestError("messages: no user or assistant message with content", param="messages")
    out: dict[str, Any] = {
        "model": chat.model,
        "max_tokens": _limit(chat, max_tokens, losses),
        "messages": messages,
    }
    if system:
        out["system"] = system[0] if len(system) == 1 else [_text(text) for text in system]
    out.update(_sampling(chat, losses))
    if chat.user:
        out["metadata"] = {"user_id": chat.user}
    if chat.stream:
        out["stream"] = True
    out.update(tools_from_chat(body, losses))
    out.update(tool_choice_from_chat(body, losses, tools="tools" in out))
    out.update(effort_from_chat(body, losses))
    output = {**out.get("output_config", {}), **_format(chat, losses)}
    if output:
        out["output_config"] = output
    _note_the_rest(body, losses)
    return Translated(write(out), losses.all())


def includes_usage(raw: bytes) -> bool:
    """Whether a streaming chat request asks for the final usage chunk."""
    options = read_fields(raw).get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _limit(chat: _Chat, default: int, losses: Losses) -> int:
    asked = chat.max_completion_tokens if chat.max_completion_tokens is not None else chat.max_tokens
    if asked is None:
        losses.info(Reason.DEFAULTED, "max_tokens")
        return default
    if asked < 1:
        raise RequestError("max_tokens: must be at least 1", param="max_tokens")
    return asked


def _sampling(chat: _Chat, losses: Losses) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if chat.temperature is not None:
        out["temperature"] = min(chat.temperature, 1.0)
        if chat.temperature > 1:
            losses.lossy(Reason.COERCED, "temperature")
    if chat.top_p is not None:
        out["top_p"] = chat.top_p
    if chat.top_k is not None and chat.top_k > 0:
        out["top_k"] = chat.top_k
    stops = [chat.stop] if isinstance(chat.stop, str) else chat.stop or []
    kept = [stop for stop in stops if stop.strip()]
    if len(kept) < len(stops):
        losses.lossy(Reason.DROPPED, "stop")
    if kept:
        out["stop_sequences"] = kept
    return out


def _format(chat: _Chat, losses: Losses) -> dict[str, Any]:
    wanted = chat.response_format or {"type": "text"}
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(schema, dict):
        return {"format": {"type": "json_schema", "schema": schema.get("schema") or {}}}
    if wanted.get("type") != "text":
        losses.lossy(Reason.DROPPED, "response_format")
    return {}


def _note_the_rest(body: Body, losses: Losses) -> None:
    for name in body.fields:
        if name in _READ:
            continue
        value = body.get(name)
        if value is None or value in _NEUTRAL.get(name, ()):
            continue
        if name in _ONLY_BOOKKEEPING:
            losses.info(Reason.DROPPED, name)
        else:
            losses.lossy(Reason.DROPPED, name)


def _split(turns: list[_Turn], losses: Losses) -> tuple[list[str], list[dict[str, Any]]]:
    """System texts, and the messages. A system message inside the conversation moves to its head."""
    system: list[str] = []
    messages: list[dict[str, Any]] = []
    previous = ""
    for index, turn in enumerate(turns):
        where = f"messages[{index}]"
        if turn.name is not None:
            losses.info(Reason.DROPPED, f"{where}.name")
        if turn.role in _SYSTEM:
            if messages:
                losses.lossy(Reason.MOVED, where)
            system += [block["text"] for block in _blocks(turn, where, losses) if block["type"] == "text"]
        elif turn.role == "tool":
            _add_result(messages, _result(turn, where, losses), joins=previous == "tool")
        elif turn.role in {"user", "assistant"}:
            _add_turn(messages, turn, where, losses)
        else:
            field = f"{where}.role"
            raise RequestError(f"{field}: expected system, developer, user, assistant or tool", param=field)
        previous = turn.role
    return system, messages


def _add_result(messages: list[dict[str, Any]], result: dict[str, Any], *, joins: bool) -> None:
    """Results of parallel calls share one message: Anthropic wants all of them in the one after the calls."""
    if joins:
        messages[-1]["content"].append(result)
    else:
        messages.append({"role": "user", "content": [result]})


def _result(turn: _Turn, where: str, losses: Losses) -> dict[str, Any]:
    if not turn.tool_call_id:
        field = f"{where}.tool_call_id"
        raise RequestError(f"missing required field: {field}", param=field)
    content = turn.content if isinstance(turn.content, str) else _blocks(turn, where, losses)
    return {"type": "tool_result", "tool_use_id": _id(turn.tool_call_id), "content": content}


def _add_turn(messages: list[dict[str, Any]], turn: _Turn, where: str, losses: Losses) -> None:
    for name in ("reasoning", "reasoning_content", "audio", "function_call"):
        if getattr(turn, name):
            note = losses.lossy if name in {"audio", "function_call"} else losses.info
            note(Reason.DROPPED, f"{where}.{name}")
    blocks = _blocks(turn, where, losses)
    for index, call in enumerate(turn.tool_calls or []):
        field = f"{where}.tool_calls[{index}].function.arguments"
        arguments, whole = arguments_object(call.function.arguments)
        if not whole:
            losses.lossy(Reason.ARGUMENTS, field)
        blocks.append(
            {"type": "tool_use", "id": _id(call.id), "name": call.function.name, "input": arguments}
        )
    if not blocks:
        losses.info(Reason.EMPTY, where)
    elif isinstance(turn.content, str) and len(blocks) == 1 and blocks[0]["type"] == "text":
        messages.append({"role": turn.role, "content": blocks[0]["text"]})
    else:
        messages.append({"role": turn.role, "content": blocks})


def _id(chat_id: str) -> str:
    """A call id in Anthropic's alphabet; what is outside becomes its code point: ids stay distinct."""
    return _FOREIGN_ID.sub(lambda match: f"_{ord(match[0]):x}_", chat_id)


def _blocks(turn: _Turn, where: str, losses: Losses) -> list[dict[str, Any]]:
    """A message's content as blocks, without blank texts, which Anthropic refuses."""
    content = turn.content
    parts = [_Part("text", text=content)] if isinstance(content, str) else content or []
    blocks = [_block(part, f"{where}.content[{index}]", losses) for index, part in enumerate(parts)]
    if turn.refusal:
        blocks.append(_text(turn.refusal))
    return [block for block in blocks if block is not None]


def _block(part: _Part, where: str, losses: Losses) -> dict[str, Any] | None:
    text = part.refusal if part.type == "refusal" else part.text
    if part.type in {"text", "refusal"}:
        if text is None:
            field = f"{where}.{part.type}"
            raise RequestError(f"missing required field: {field}", param=field)
        return _text(text) if text.strip() else None
    if part.type == "image_url":
        return _image(part, where, losses)
    losses.lossy(Reason.UNSUPPORTED_BLOCK, where)
    return None


def _image(part: _Part, where: str, losses: Losses) -> dict[str, Any] | None:
    if part.image_url is None:
        field = f"{where}.image_url"
        raise RequestError(f"missing required field: {field}", param=field)
    if part.image_url.detail not in {None, "auto"}:
        losses.info(Reason.DROPPED, f"{where}.image_url.detail")
    url = part.image_url.url
    if match := _DATA_URL.fullmatch(url):
        return {"type": "image", "source": {"type": "base64", **match.groupdict()}}
    if url.startswith(("https://", "http://")):
        return {"type": "image", "source": {"type": "url", "url": url}}
    losses.lossy(Reason.UNSUPPORTED_SUBTYPE, where)
    return None


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
