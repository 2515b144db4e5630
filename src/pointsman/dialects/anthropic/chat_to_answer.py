"""A finished OpenAI chat answer as an Anthropic message."""

from typing import Any

import msgspec

from pointsman.dialects.anthropic.chat_values import Choice, Completion, Said, ToolCall
from pointsman.dialects.anthropic.ids import message_id
from pointsman.dialects.anthropic.loss import Losses, Reason, Translated
from pointsman.dialects.anthropic.stops import knows_finish, stop_reason
from pointsman.dialects.anthropic.tool_arguments import arguments_object
from pointsman.dialects.anthropic.usage import messages_usage
from pointsman.dialects.anthropic.wire import UpstreamFault, read, write

_COMPLETION = msgspec.json.Decoder(Completion)
_MESSAGE = "choices[0].message"


def chat_to_answer(raw: bytes, *, thinking: bool = True) -> Translated:
    """Translate; ``thinking``: show the model's reasoning as a thinking block (unsigned).

    Raises ``UpstreamFault`` when the body is no chat completion.
    """
    completion, losses = read(raw, _COMPLETION, fault=UpstreamFault), Losses()
    if not completion.choices or completion.choices[0].message is None:
        raise UpstreamFault(f"missing required field: {_MESSAGE}", param=_MESSAGE)
    choice, said = completion.choices[0], completion.choices[0].message
    _note(completion.choices, said, losses)
    content = _content(said, losses, thinking=thinking)
    reason = "refusal" if said.refusal else _reason(choice, tools=bool(said.tool_calls))
    if not knows_finish(choice.finish_reason):
        losses.info(Reason.STOP_REASON, "choices[0].finish_reason")
    message = {
        **message_head(completion.id, completion.model),
        "content": content,
        "stop_reason": reason,
        "stop_sequence": choice.matched if reason == "stop_sequence" else None,
        "usage": messages_usage(completion.usage),
    }
    return Translated(write(message, UpstreamFault), losses.all())


def message_head(chat_id: str | None, model: str | None) -> dict[str, Any]:
    """What a message has before its content."""
    return {"id": message_id(chat_id or ""), "type": "message", "role": "assistant", "model": model or ""}


def _reason(choice: Choice, *, tools: bool) -> str:
    return stop_reason(choice.finish_reason, matched=choice.matched, tools=tools)


def _note(choices: list[Choice], said: Said, losses: Losses) -> None:
    for index in range(1, len(choices)):
        losses.lossy(Reason.DROPPED, f"choices[{index}]")
    if choices[0].logprobs is not None:
        losses.lossy(Reason.DROPPED, "choices[0].logprobs")
    for name in ("audio", "annotations"):
        if getattr(said, name):
            losses.lossy(Reason.DROPPED, f"{_MESSAGE}.{name}")


def _content(said: Said, losses: Losses, *, thinking: bool) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if said.thought and thinking:
        content.append({"type": "thinking", "thinking": said.thought, "signature": ""})
    text = f"{said.content or ''}{said.refusal or ''}"
    if text:
        content.append({"type": "text", "text": text})
    for index, call in enumerate(said.tool_calls or []):
        content.append(_tool_use(call, f"{_MESSAGE}.tool_calls[{index}]", index, losses))
    return content


def _tool_use(call: ToolCall, where: str, index: int, losses: Losses) -> dict[str, Any]:
    if call.function is None or not call.function.name:
        raise UpstreamFault(f"missing required field: {where}.function.name", param=f"{where}.function.name")
    arguments, whole = arguments_object(call.function.arguments or "")
    if not whole:
        losses.lossy(Reason.ARGUMENTS, f"{where}.function.arguments")
    return {
        "type": "tool_use",
        "id": call.id or made_up_id(index),
        "name": call.function.name,
        "input": arguments,
    }


def made_up_id(index: int) -> str:
    """The id of a call whose engine gave none: unique within its answer."""
    return f"toolu_{index}"
