"""Messages requests: bytes to ``ChatRequest``, edits of the system prompt, answers in their shape."""

from enum import StrEnum
from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.verdict import Reply
from pointsman.dialects import sse
from pointsman.dialects.anthropic.blocks import Block, Text, ToolResult, read_content
from pointsman.dialects.anthropic.events import named_event
from pointsman.dialects.anthropic.wire import read
from pointsman.dialects.body import Body

PATH = "/v1/messages"
COUNT_PATH = "/v1/messages/count_tokens"


class Role(StrEnum):
    """Who speaks in ``messages``."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class _Turn(msgspec.Struct):
    role: Role
    content: str | list[msgspec.Raw]


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Request(msgspec.Struct):
    """The fields read here; all others pass unseen."""

    model: str
    max_tokens: int
    messages: list[_Turn]
    system: str | list[msgspec.Raw] | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    metadata: _Metadata | None = None


_REQUEST = msgspec.json.Decoder(_Request)


class Turn(msgspec.Struct, frozen=True):
    """One message with its content read."""

    role: Role
    blocks: tuple[Block, ...]


class Messages(msgspec.Struct, frozen=True):
    """A request with every content block read, and its other top-level fields as they came."""

    model: str
    max_tokens: int
    system: tuple[str, ...]
    turns: tuple[Turn, ...]
    stream: bool
    stop_sequences: tuple[str, ...]
    user_id: str


def read_messages(raw: bytes) -> Messages:
    """Read a whole request. Raises ``RequestError`` naming the field at fault."""
    request = read(raw, _REQUEST)
    if not request.model:
        raise RequestError("model: must not be empty", param="model")
    if request.max_tokens < 1:
        raise RequestError("max_tokens: must be at least 1", param="max_tokens")
    if not request.messages:
        raise RequestError("messages: must not be empty", param="messages")
    return Messages(
        model=request.model,
        max_tokens=request.max_tokens,
        system=_system(request.system),
        turns=tuple(
            Turn(turn.role, tuple(read_content(turn.content, f"messages[{index}].content")))
            for index, turn in enumerate(request.messages)
        ),
        stream=bool(request.stream),
        stop_sequences=tuple(request.stop_sequences or ()),
        user_id=(request.metadata.user_id or "") if request.metadata else "",
    )


def _system(system: str | list[msgspec.Raw] | None) -> tuple[str, ...]:
    blocks = read_content(system, "system")
    for index, block in enumerate(blocks):
        if not isinstance(block, Text):
            field = f"system[{index}].type"
            raise RequestError(f"{field}: only text is allowed here", param=field)
    return tuple(block.text for block in blocks if isinstance(block, Text))


def understand(raw: bytes) -> ChatRequest:
    """Read a request for routing. System text leads; a tool's result counts as a turn of role ``tool``.

    Raises ``RequestError`` naming the field at fault.
    """
    request = read_messages(raw)
    messages = [Message("system", "\n".join(request.system))] if request.system else []
    for turn in request.turns:
        messages += _routing_view(turn)
    return ChatRequest(
        dialect=Dialect.ANTHROPIC_MESSAGES,
        model=request.model,
        messages=tuple(messages),
        raw=raw,
        stream=request.stream,
        user=request.user_id,
    )


def _routing_view(turn: Turn) -> list[Message]:
    """Tool results apart from what the user says: signals read the question, not a tool's output."""
    results = [block for block in turn.blocks if isinstance(block, ToolResult)]
    seen = [Message("tool", texts(read_content(result.content, "content"))) for result in results]
    if not results or len(results) < len(turn.blocks):
        seen.append(Message(turn.role.value, texts(turn.blocks)))
    return seen


def texts(blocks: tuple[Block, ...] | list[Block]) -> str:
    """The text blocks joined by newlines."""
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


def with_system_prompt(body: Body, prompt: str, *, replace: bool) -> Body:
    """Put ``prompt`` before the request's system text, or in its place."""
    existing = bytes(body.fields.get("system", b"null"))
    if replace or existing in {b"null", b'""', b"[]"}:
        return body.with_field("system", prompt)
    if existing.startswith(b"["):
        return body.with_field("system", [{"type": "text", "text": prompt}, *body.items("system")])
    return body.with_field("system", f"{prompt}\n\n{body.get('system')}")


def answer(text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
    """A complete answer made by the router itself, as JSON or as server-sent events."""
    usage = {"input_tokens": 0, "output_tokens": 0}
    message: dict[str, Any] = {
        "id": f"msg_fast_{created}",
        "type": "message",
        "role": "assistant",
        "model": "router",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    if not stream:
        return Reply(200, {"content-type": "application/json", **headers}, msgspec.json.encode(message))
    opening = {**message, "content": [], "stop_reason": None}
    pieces = (word if index == 0 else f" {word}" for index, word in enumerate(text.split(" ")))
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": opening},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": _delta(piece)} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": usage,
        },
        {"type": "message_stop"},
    ]
    body = b"".join(named_event(event) for event in events)
    return Reply(200, {"content-type": sse.CONTENT_TYPE, "cache-control": "no-cache", **headers}, body)


def _delta(text: str) -> dict[str, str]:
    return {"type": "text_delta", "text": text}
