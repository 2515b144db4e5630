"""OpenAI responses: bytes to ``ChatRequest``, edits of its instructions, answers in its shape."""

from collections.abc import Iterator
from typing import Any

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.verdict import Reply
from pointsman.dialects import sse
from pointsman.dialects.body import Body, decode
from pointsman.dialects.metadata import checked_metadata

PATH = "/v1/responses"
_TEXTS = frozenset({"text", "input_text", "output_text"})


class _Part(msgspec.Struct):
    type: str = "input_text"
    text: str | None = None


class _Item(msgspec.Struct):
    """An item of the input: a message, a tool call, the output of one, a reference to something stored."""

    type: str | None = None
    role: str | None = None
    content: str | list[_Part] | None = None
    name: str | None = None
    output: str | list[_Part] | None = None


class _Tool(msgspec.Struct):
    name: str | None = None


class _Responses(msgspec.Struct):
    """The fields read here; all others pass unseen."""

    model: str
    input: str | list[_Item]
    instructions: str | None = None
    stream: bool | None = None
    tools: list[_Tool] | None = None
    metadata: Any = None
    user: str | None = None


_DECODER = msgspec.json.Decoder(_Responses)


def understand(raw: bytes) -> ChatRequest:
    """Read a request for a response. Raises ``RequestError`` naming the field at fault."""
    asked = decode(raw, _DECODER)
    if not asked.model:
        raise RequestError("model: must not be empty", param="model")
    if not asked.input:
        raise RequestError("input: must not be empty", param="input")
    return ChatRequest(
        dialect=Dialect.OPENAI_RESPONSES,
        model=asked.model,
        messages=tuple(_messages(asked)),
        raw=raw,
        stream=bool(asked.stream),
        metadata=checked_metadata(asked.metadata),
        user=asked.user or "",
        tools=tuple(tool.name or "" for tool in asked.tools or ()),
    )


def _messages(asked: _Responses) -> Iterator[Message]:
    if asked.instructions:
        yield Message("system", asked.instructions)
    if isinstance(asked.input, str):
        yield Message("user", asked.input)
        return
    for item in asked.input:
        if item.type == "function_call_output":
            yield Message("tool", _text(item.output))
        elif item.type == "function_call":
            yield Message("assistant", "", (item.name or "",))
        elif item.role:
            images = sum(part.type == "input_image" for part in _parts(item.content))
            yield Message(item.role, _text(item.content), images=images)


def _parts(content: str | list[_Part] | None) -> list[_Part]:
    return content if isinstance(content, list) else []


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.text for part in _parts(content) if part.text and part.type in _TEXTS)


def with_system_prompt(body: Body, prompt: str, *, replace: bool) -> Body:
    """Put ``prompt`` before the client's instructions, or in their place."""
    before = body.get("instructions")
    keeps = isinstance(before, str) and before and not replace
    return body.with_field("instructions", f"{prompt}\n\n{before}" if keeps else prompt)


def answer(text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
    """A complete response made by the router itself, as JSON or as server-sent events."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = _message(created, "completed", [part])
    if not stream:
        body = msgspec.json.encode(_response(created, "completed", [item]))
        return Reply(200, {"content-type": "application/json", **headers}, body)
    body = b"".join(_named(event) for event in _numbered(_events(text, part, item, created)))
    return Reply(200, {"content-type": sse.CONTENT_TYPE, "cache-control": "no-cache", **headers}, body)


def _events(text: str, part: dict[str, Any], item: dict[str, Any], created: int) -> Iterator[dict[str, Any]]:
    begun = _response(created, "in_progress", [])
    where = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    opened = _message(created, "in_progress", [])
    yield {"type": "response.output_item.added", "output_index": 0, "item": opened}
    yield {"type": "response.content_part.added", **where, "part": {**part, "text": ""}}
    yield {"type": "response.output_text.delta", **where, "delta": text, "logprobs": []}
    yield {"type": "response.output_text.done", **where, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **where, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": _response(created, "completed", [item])}


def _numbered(events: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({**event, "sequence_number": number} for number, event in enumerate(events))


def _named(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\n".encode() + sse.event(msgspec.json.encode(event))


def _message(created: int, status: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    identity = f"msg_fast_{created}"
    return {"id": identity, "type": "message", "role": "assistant", "status": status, "content": content}


def _response(created: int, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return {
        "id": f"resp_fast_{created}",
        "object": "response",
        "created_at": created,
        "status": status,
        "model": "router",
        "output": output,
        "usage": usage if status == "completed" else None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": None,
        "top_p": None,
        "tool_choice": "auto",
        "tools": [],
    }
