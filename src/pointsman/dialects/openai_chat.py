"""OpenAI chat completions: bytes to ``ChatRequest``, edits of its messages, answers in its shape."""

from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.verdict import Reply
from pointsman.dialects import sse
from pointsman.dialects.body import Body, decode
from pointsman.dialects.metadata import checked_metadata


class _Part(msgspec.Struct):
    type: str
    text: str | None = None


class _Function(msgspec.Struct):
    name: str = ""


class _Call(msgspec.Struct):
    """A tool call of an assistant, or a tool offered: both carry a function with a name."""

    function: _Function | None = None


class _Turn(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Chat(msgspec.Struct):
    """The fields read here; all others pass unseen."""

    model: str
    messages: list[_Turn]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_Call] | None = None
    metadata: Any = None
    user: str | None = None


_DECODER = msgspec.json.Decoder(_Chat)


def understand(raw: bytes) -> ChatRequest:
    """Read a chat request. Raises ``RequestError`` naming the field at fault."""
    chat = decode(raw, _DECODER)
    if not chat.model:
        raise RequestError("model: must not be empty", param="model")
    if not chat.messages:
        raise RequestError("messages: must not be empty", param="messages")
    return ChatRequest(
        dialect=Dialect.OPENAI_CHAT,
        model=chat.model,
        messages=tuple(map(_message, chat.messages)),
        raw=raw,
        stream=bool(chat.stream),
        metadata=checked_metadata(chat.metadata),
        user=chat.user or "",
        tools=_names(chat.tools),
    )


def _message(turn: _Turn) -> Message:
    return Message(turn.role, _text(turn.content), _names(turn.tool_calls), _images(turn.content))


def _names(calls: list[_Call] | None) -> tuple[str, ...]:
    return tuple(call.function.name if call.function else "" for call in calls or ())


def _images(content: str | list[_Part] | None) -> int:
    if content is None or isinstance(content, str):
        return 0
    return sum(part.type in {"image_url", "input_image"} for part in content)


def _text(content: str | list[_Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if part.text and part.type in {"text", "input_text"})


def with_system_prompt(body: Body, prompt: str, *, replace: bool) -> Body:
    """Put ``prompt`` into the first system message, or before the conversation when there is none.

    Only the first message is considered, as the document's ``system_prompt`` plugin promises. Inserting
    puts the prompt before the client's own text; the message's other fields are kept.
    """
    turns = body.items("messages")
    first = msgspec.json.decode(turns[0]) if turns else {}
    if first.get("role") not in {"system", "developer"}:
        message = {"role": "system", "content": prompt}
        return body.with_field("messages", [message, *turns])
    content = prompt if replace else _joined(prompt, first.get("content"))
    return body.with_field("messages", [{**first, "content": content}, *turns[1:]])


def _joined(prompt: str, content: Any) -> Any:
    if isinstance(content, list):
        return [{"type": "text", "text": prompt}, *content]
    return f"{prompt}\n\n{content}" if content else prompt


def answer(text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
    """A complete assistant answer made by the router itself, as JSON or as server-sent events."""
    base = {"id": f"chatcmpl-fast-{created}", "created": created, "model": "router"}
    if stream:
        chunks = _chunks(text, {**base, "object": "chat.completion.chunk"})
        return Reply(200, {"content-type": sse.CONTENT_TYPE, "cache-control": "no-cache", **headers}, chunks)
    document = {
        **base,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    return Reply(200, {"content-type": "application/json", **headers}, msgspec.json.encode(document))


def _chunks(text: str, base: dict[str, Any]) -> bytes:
    pieces = (word if index == 0 else f" {word}" for index, word in enumerate(text.split(" ")))
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in pieces]
    deltas.append(({}, "stop"))
    events = (
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]}
        for delta, reason in deltas
    )
    return b"".join(sse.event(msgspec.json.encode(event)) for event in events) + sse.DONE
