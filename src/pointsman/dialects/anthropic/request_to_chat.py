"""A Messages request as an OpenAI chat request, for engines that speak OpenAI only."""

from collections.abc import Iterable
from typing import Any

from pointsman.core.errors import HttpError, RequestError
from pointsman.dialects.anthropic.blocks import (
    Base64,
    Block,
    File,
    Image,
    RedactedThinking,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    Url,
    read_content,
)
from pointsman.dialects.anthropic.loss import Losses, Reason, Translated
from pointsman.dialects.anthropic.messages import Messages, Role, read_messages, texts
from pointsman.dialects.anthropic.options import thinking_to_effort, tool_choice_to_chat, tools_to_chat
from pointsman.dialects.anthropic.tool_arguments import arguments_text
from pointsman.dialects.anthropic.wire import read_fields, write
from pointsman.dialects.body import Body

Placed = tuple[str, Block]
"""A block and where it stood."""

_AS_IT_IS = ("temperature", "top_p")
_ENGINE_FIELDS = (
    "chat_template_kwargs",
    "ignore_eos",
    "kv_transfer_params",
    "min_p",
    "min_tokens",
    "priority",
    "repetition_penalty",
    "seed",
    "top_k",
    "vllm_xargs",
)
"""What vLLM takes beside OpenAI's fields: clients of its own Messages endpoint send these."""
_READ = {
    *_AS_IT_IS,
    "cache_control",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "tool_choice",
    "tools",
}


def request_to_chat(raw: bytes, *, vllm: bool = True) -> Translated:
    """Translate; ``vllm``: the engine takes vLLM's fields (``top_k``, ``reasoning``, a prefilled answer).

    Raises ``RequestError`` naming the field at fault.
    """
    request, body, losses = read_messages(raw), read_fields(raw), Losses()
    chat: dict[str, Any] = {
        "model": request.model,
        "messages": _messages(request, losses, vllm=vllm),
        "max_tokens": request.max_tokens,
    }
    chat.update({name: body.fields[name] for name in _AS_IT_IS if _given(body, name)})
    if request.stop_sequences:
        chat["stop"] = request.stop_sequences
    if request.user_id:
        chat["user"] = request.user_id
    if request.stream:
        chat.update(stream=True, stream_options={"include_usage": True})
    chat.update(tools_to_chat(body, losses))
    chat.update(tool_choice_to_chat(body, losses, tools="tools" in chat))
    chat.update(thinking_to_effort(body, losses))
    chat.update(_format(body, losses))
    chat.update(_rest(body, losses, vllm=vllm))
    if vllm and _prefilled(request):
        chat.update(add_generation_prompt=False, continue_final_message=True)
    elif _prefilled(request):
        losses.lossy(Reason.COERCED, f"messages[{len(request.turns) - 1}]")
    if b'"cache_control"' in raw:
        losses.info(Reason.DROPPED, "cache_control")
    return Translated(write(chat), losses.all())


def _given(body: Body, name: str) -> bool:
    return name in body.fields and bytes(body.fields[name]) != b"null"


def _rest(body: Body, losses: Losses, *, vllm: bool) -> dict[str, Any]:
    """Engine fields kept where the engine knows them, everything else noted as dropped."""
    kept: dict[str, Any] = {}
    for name in body.fields:
        if name in _READ or not _given(body, name):
            continue
        if vllm and name in _ENGINE_FIELDS:
            kept[name] = body.fields[name]
        else:
            losses.lossy(Reason.TOP_K if name == "top_k" else Reason.DROPPED, name)
    metadata = body.get("metadata") or {}
    for name in metadata:
        if name != "user_id":
            losses.info(Reason.DROPPED, f"metadata.{name}")
    return kept


def _format(body: Body, losses: Losses) -> dict[str, Any]:
    config = body.get("output_config") or {}
    for name in config:
        if name not in {"effort", "format"}:
            losses.lossy(Reason.DROPPED, f"output_config.{name}")
    wanted = config.get("format")
    if wanted is None:
        return {}
    if not isinstance(wanted, dict) or wanted.get("type") != "json_schema":
        losses.lossy(Reason.DROPPED, "output_config.format")
        return {}
    schema = {"name": "response", "strict": True, "schema": wanted.get("schema") or {}}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _prefilled(request: Messages) -> bool:
    """Whether the answer is to continue the client's last, plain-text assistant turn."""
    last = request.turns[-1]
    calls = any(isinstance(block, ToolUse) for block in last.blocks)
    return last.role is Role.ASSISTANT and not calls and bool(texts(last.blocks))


def _messages(request: Messages, losses: Losses, *, vllm: bool) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if request.system:
        parts = _placed((Text(text) for text in request.system), "system")
        messages.append({"role": "system", "content": _content(parts, losses)})
    for index, turn in enumerate(request.turns):
        blocks = _placed(turn.blocks, f"messages[{index}].content")
        if turn.role is Role.ASSISTANT:
            messages.append(_assistant(blocks, losses, vllm=vllm))
        else:
            messages += _client_turn(turn.role, blocks, losses)
    return messages


def _placed(blocks: Iterable[Block], path: str) -> list[Placed]:
    return [(f"{path}[{index}]", block) for index, block in enumerate(blocks)]


def _client_turn(role: Role, blocks: list[Placed], losses: Losses) -> list[dict[str, Any]]:
    """Tool results first, each a message of its own, right after the calls as OpenAI wants; then the rest.

    Images inside a result move into the message after it: a tool message holds text only.
    """
    messages: list[dict[str, Any]] = []
    moved: list[Placed] = []
    rest: list[Placed] = []
    for where, block in blocks:
        if not isinstance(block, ToolResult):
            rest.append((where, block))
            continue
        if rest:
            losses.info(Reason.MOVED, where)
        message, images = _tool_result(where, block, losses)
        messages.append(message)
        moved += images
    if moved or rest or not messages:
        messages.append({"role": role.value, "content": _content([*moved, *rest], losses)})
    return messages


def _tool_result(where: str, block: ToolResult, losses: Losses) -> tuple[dict[str, Any], list[Placed]]:
    """The tool message, and the images that did not fit in it."""
    inner = _placed(read_content(block.content, f"{where}.content"), f"{where}.content")
    images = [placed for placed in inner if isinstance(placed[1], Image)]
    if images:
        losses.info(Reason.MOVED, f"{where}.content")
    if block.is_error:
        losses.lossy(Reason.DROPPED, f"{where}.is_error")
    content = _content([placed for placed in inner if not isinstance(placed[1], Image)], losses)
    return {"role": "tool", "tool_call_id": block.tool_use_id, "content": content}, images


def _assistant(blocks: list[Placed], losses: Losses, *, vllm: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant"}
    spoken: list[Placed] = []
    calls: list[dict[str, Any]] = []
    thoughts: list[str] = []
    for where, block in blocks:
        match block:
            case ToolUse():
                calls.append(tool_call(block))
            case Thinking():
                thoughts.append(block.thinking)
                _note_thinking(block, where, losses, vllm=vllm)
            case _:
                if calls:
                    losses.info(Reason.MOVED, where)
                spoken.append((where, block))
    message["content"] = _content(spoken, losses) if spoken or not calls else None
    if thoughts and vllm:
        message["reasoning"] = "\n".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _note_thinking(block: Thinking, where: str, losses: Losses, *, vllm: bool) -> None:
    if not vllm:
        losses.lossy(Reason.DROPPED, where)
    elif block.signature:
        losses.info(Reason.SIGNATURE, where)


def tool_call(block: ToolUse, fault: type[HttpError] = RequestError) -> dict[str, Any]:
    """A tool use as OpenAI's tool call: the arguments are JSON in a string."""
    function = {"name": block.name, "arguments": arguments_text(block.input, fault)}
    return {"id": block.id, "type": "function", "function": function}


def _content(blocks: list[Placed], losses: Losses) -> Any:
    """A string for no part or one of text, else a list of parts."""
    parts = [part for where, block in blocks if (part := _part(block, where, losses)) is not None]
    if not parts:
        return ""
    if len(parts) == 1 and parts[0]["type"] == "text":
        return parts[0]["text"]
    return parts


def _part(block: Block, where: str, losses: Losses) -> dict[str, Any] | None:
    match block:
        case Text(text=text, citations=citations):
            if citations:
                losses.info(Reason.DROPPED, f"{where}.citations")
            return {"type": "text", "text": text}
        case Image(source=Base64(media_type=media_type, data=data)):
            return _image(f"data:{media_type};base64,{data}")
        case Image(source=Url(url=url)):
            return _image(url)
        case Image(source=File()):
            losses.lossy(Reason.IMAGE_FILE, where)
        case RedactedThinking():
            losses.lossy(Reason.REDACTED_THINKING, where)
        case _:
            losses.lossy(Reason.UNSUPPORTED_BLOCK, where)
    return None


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}
