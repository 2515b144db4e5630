"""A kept answer as the client asked for it: JSON or a stream, in OpenAI's shape or in Anthropic's."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from pointsman.dialects import sse
from pointsman.dialects.anthropic.chat_to_answer import chat_to_answer
from pointsman.dialects.anthropic.chat_to_stream import ChatToStream

PIECE: Final = 48
"""Characters of a streamed piece, at least; it ends with a word."""
_MESSAGES_ONLY: Final = frozenset({"role", "content", "tool_calls", "function_call", "refusal"})


class Form(msgspec.Struct, frozen=True):
    """How a client wants its answer."""

    stream: bool = False
    usage: bool = False
    """Whether a stream ends with the token counts."""
    messages: bool = False
    """Whether it speaks Anthropic's API."""

    @property
    def counted(self) -> bool:
        """Whether the answer must tell its token counts."""
        return self.usage or not self.stream


class Replay(msgspec.Struct, frozen=True):
    """What the client gets."""

    content_type: str
    body: bytes


def tells_usage(answer: bytes) -> bool:
    """Whether a kept answer has token counts: one put together from a stream without them has none."""
    return isinstance(msgspec.json.decode(answer).get("usage"), dict)


def replay(answer: bytes, form: Form, *, created: int) -> Replay:
    """The answer again, told anew at ``created`` (Unix seconds); the counts are those of the first time."""
    document = {**msgspec.json.decode(answer), "id": f"chatcmpl-cache-{created}", "created": created}
    if not form.stream:
        body = msgspec.json.encode(document)
        return Replay("application/json", chat_to_answer(body).body if form.messages else body)
    events = b"".join(sse.event(msgspec.json.encode(chunk)) for chunk in _chunks(document, form)) + sse.DONE
    if form.messages:
        translation = ChatToStream()
        events = translation.feed(events) + translation.finish()
    return Replay(sse.CONTENT_TYPE, events)


def _chunks(document: dict[str, Any], form: Form) -> Iterator[dict[str, Any]]:
    kept = ("id", "created", "model", "system_fingerprint", "service_tier")
    head = {name: document[name] for name in kept if document.get(name) is not None}
    head["object"] = "chat.completion.chunk"
    choice = document["choices"][0]
    message = choice["message"]

    def chunk(delta: dict[str, Any], **ending: Any) -> dict[str, Any]:
        told = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None, **ending}
        return {**head, "choices": [told]}

    yield chunk({"role": "assistant", "content": ""})
    for name, value in message.items():
        if name not in _MESSAGES_ONLY and value:
            yield from (
                chunk({name: piece}) for piece in (pieces(value) if isinstance(value, str) else [value])
            )
    yield from (chunk({"content": piece}) for piece in pieces(message["content"]))
    stop = {"stop_reason": choice["stop_reason"]} if choice.get("stop_reason") is not None else {}
    yield chunk({}, finish_reason=choice["finish_reason"], **stop)
    if form.usage:
        yield {**head, "choices": [], "usage": document.get("usage")}


def pieces(text: str) -> Iterator[str]:
    """A text in pieces that end after a word; together they are the text."""
    start = 0
    while start < len(text):
        space = text.find(" ", start + PIECE, start + 2 * PIECE)
        end = space + 1 if space >= 0 else start + 2 * PIECE
        yield text[start:end]
        start = end
