"""A finished Anthropic message as an OpenAI chat answer."""

from typing import Any

import msgspec

from pointsman.dialects.anthropic.blocks import Block, RedactedThinking, Text, Thinking, ToolUse, read_block
from pointsman.dialects.anthropic.ids import chat_id
from pointsman.dialects.anthropic.loss import Losses, Reason, Translated
from pointsman.dialects.anthropic.messages_values import AnswerMessage
from pointsman.dialects.anthropic.request_to_chat import tool_call
from pointsman.dialects.anthropic.stops import finish_reason, knows_stop
from pointsman.dialects.anthropic.usage import chat_usage
from pointsman.dialects.anthropic.wire import UpstreamFault, read, write

_MESSAGE = msgspec.json.Decoder(AnswerMessage)


def answer_to_chat(raw: bytes, *, created: int) -> Translated:
    """Translate; ``created`` in Unix seconds, which Anthropic does not tell.

    Raises ``UpstreamFault`` when the body is no message.
    """
    message, losses = read(raw, _MESSAGE, fault=UpstreamFault), Losses()
    if message.content is None:
        raise UpstreamFault("missing required field: content", param="content")
    blocks = [
        read_block(block, f"content[{index}]", UpstreamFault) for index, block in enumerate(message.content)
    ]
    if not knows_stop(message.stop_reason):
        losses.info(Reason.STOP_REASON, "stop_reason")
    choice = {
        "index": 0,
        "message": _message(blocks, losses),
        "finish_reason": finish_reason(message.stop_reason),
        "logprobs": None,
    }
    if message.stop_sequence is not None:
        choice["stop_reason"] = message.stop_sequence
    document = {
        "id": chat_id(message.id),
        "object": "chat.completion",
        "created": created,
        "model": message.model,
        "choices": [choice],
        "usage": chat_usage(message.usage),
    }
    return Translated(write(document, UpstreamFault), losses.all())


def _message(blocks: list[Block], losses: Losses) -> dict[str, Any]:
    """Texts joined as they follow each other: Anthropic cuts one text into blocks where it cites."""
    text = "".join(block.text for block in blocks if isinstance(block, Text))
    calls = [tool_call(block, UpstreamFault) for block in blocks if isinstance(block, ToolUse)]
    thought = "".join(block.thinking for block in blocks if isinstance(block, Thinking))
    for index, block in enumerate(blocks):
        _note(block, f"content[{index}]", losses)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text or (None if calls else ""),
        "refusal": None,
    }
    if thought:
        message["reasoning"] = thought
    if calls:
        message["tool_calls"] = calls
    return message


def _note(block: Block, where: str, losses: Losses) -> None:
    match block:
        case Text(citations=citations):
            if citations:
                losses.info(Reason.DROPPED, f"{where}.citations")
        case Thinking(signature=signature):
            if signature:
                losses.info(Reason.SIGNATURE, where)
        case RedactedThinking():
            losses.info(Reason.REDACTED_THINKING, where)
        case ToolUse():
            pass
        case _:
            losses.lossy(Reason.UNSUPPORTED_BLOCK, where)
