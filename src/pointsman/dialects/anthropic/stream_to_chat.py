"""An Anthropic stream as an OpenAI chat one."""

from typing import Any

import msgspec

from pointsman.dialects import sse
from pointsman.dialects.anthropic.errors import chat_error_document, said, status_of
from pointsman.dialects.anthropic.ids import chat_id
from pointsman.dialects.anthropic.loss import Reason
from pointsman.dialects.anthropic.messages_values import AnswerMessage, Delta, Event, Started
from pointsman.dialects.anthropic.stops import finish_reason, knows_stop
from pointsman.dialects.anthropic.stream import HALFWAY, LIMIT, StreamTranslation
from pointsman.dialects.anthropic.tool_arguments import arguments_text
from pointsman.dialects.anthropic.usage import MessagesUsage, chat_usage
from pointsman.dialects.anthropic.wire import UpstreamFault, read

PING = b": ping\n\n"
"""Anthropic's ``ping`` as a comment: OpenAI clients pass it over, and connections stay open."""

_EVENT = msgspec.json.Decoder(Event)
_MAX_OPEN = 1024
"""Blocks open at once; providers open one."""
_REASONS = {"redacted_thinking": Reason.REDACTED_THINKING}


class _Call(msgspec.Struct):
    """An open tool call: which one, what it came with, and whether arguments were written."""

    index: int
    input: Any
    begun: bool = False


class StreamToChat(StreamTranslation):
    """Reads ``message_start`` to ``message_stop``, writes ``chat.completion.chunk`` events and ``[DONE]``.

    ``created``: Unix seconds, which Anthropic does not tell. ``usage``: end with a chunk that has the counts.
    """

    def __init__(self, *, created: int, usage: bool = False, limit: int = LIMIT) -> None:
        super().__init__(limit)
        self._created = created
        self._with_usage = usage
        self._head: dict[str, Any] | None = None
        self._open: dict[int, _Call | None] = {}
        self._calls = 0
        self._stop: Delta = Delta()
        self._usage = MessagesUsage()

    def _event(self, payload: bytes) -> None:
        event = read(payload, _EVENT, fault=UpstreamFault)
        match event.type:
            case "error":
                message, kind = said(event.error)
                self._fail(message, kind or "api_error")
            case "ping":
                self._out.append(PING)
            case "message_start":
                self._start(event.message)
            case _:
                self._later(event)

    def _start(self, message: AnswerMessage | None) -> None:
        if message is None or self._head is not None:
            raise UpstreamFault("message_start: expected once, with a message")
        self._head = {
            "id": chat_id(message.id),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": message.model,
        }
        self._usage = self._usage.updated(message.usage)
        self._delta({"role": "assistant", "content": ""})

    def _later(self, event: Event) -> None:
        """What only follows a start. Types yet unknown are passed over, as Anthropic asks of its clients."""
        known = {"content_block_start", "content_block_delta", "content_block_stop", "message_delta"}
        if event.type not in {*known, "message_stop"}:
            return
        if self._head is None:
            raise UpstreamFault(f"{event.type} before message_start")
        match event.type:
            case "content_block_start":
                self._block(event.index, event.content_block)
            case "content_block_delta":
                self._piece(event.index, event.delta or Delta())
            case "content_block_stop":
                self._shut(event.index)
            case "message_delta":
                self._stop = event.delta or self._stop
                self._usage = self._usage.updated(event.usage)
            case _:
                self._end()

    def _block(self, index: int, block: Started | None) -> None:
        if block is None:
            raise UpstreamFault("content_block_start without a content_block")
        if len(self._open) >= _MAX_OPEN:
            raise UpstreamFault(f"more than {_MAX_OPEN} blocks are open at once")
        self._open[index] = None
        if block.type == "tool_use":
            call = _Call(self._calls, block.input)
            self._calls += 1
            self._open[index] = call
            self._delta({"tool_calls": [_opening(call, block)]})
        elif block.type in {"text", "thinking"}:
            self._words(block.text, block.thinking)
        else:
            reason = _REASONS.get(block.type, Reason.UNSUPPORTED_BLOCK)
            note = self._losses.info if block.type in _REASONS else self._losses.lossy
            note(reason, "content_block.type")

    def _piece(self, index: int, delta: Delta) -> None:
        if delta.type in {"text_delta", "thinking_delta"}:
            self._words(delta.text, delta.thinking)
        elif delta.type == "input_json_delta":
            self._arguments(index, delta.partial_json)
        elif delta.type == "signature_delta":
            self._losses.info(Reason.SIGNATURE, "delta.signature")
        else:
            self._losses.info(Reason.DROPPED, "delta.type")

    def _words(self, text: str | None, thinking: str | None) -> None:
        if thinking:
            self._delta({"reasoning": thinking})
        if text:
            self._delta({"content": text})

    def _arguments(self, index: int, piece: str | None) -> None:
        if index not in self._open:
            raise UpstreamFault(f"input_json_delta for block {index}, which is not open")
        call = self._open[index]
        if call is not None and piece:
            call.begun = True
            self._delta({"tool_calls": [{"index": call.index, "function": {"arguments": piece}}]})

    def _shut(self, index: int) -> None:
        call = self._open.pop(index, None)
        if call is not None and not call.begun:
            whole = arguments_text(call.input) if isinstance(call.input, dict) else "{}"
            self._delta({"tool_calls": [{"index": call.index, "function": {"arguments": whole}}]})

    def _end(self) -> None:
        for index in tuple(self._open):
            self._shut(index)
        if not knows_stop(self._stop.stop_reason):
            self._losses.info(Reason.STOP_REASON, "delta.stop_reason")
        extra = {} if self._stop.stop_sequence is None else {"stop_reason": self._stop.stop_sequence}
        self._chunk([_choice({}, finish_reason(self._stop.stop_reason), **extra)])
        if self._with_usage:
            self._chunk([], usage=chat_usage(self._usage))
        self._out.append(sse.DONE)
        self.done = True

    def _close(self) -> None:
        if self._stop.stop_reason is None:
            self._fail(HALFWAY)
        else:
            self._end()

    def _delta(self, delta: dict[str, Any]) -> None:
        self._chunk([_choice(delta, None)])

    def _chunk(self, choices: list[dict[str, Any]], **extra: Any) -> None:
        document = {**(self._head or {}), "choices": choices, **extra}
        self._out.append(sse.event(msgspec.json.encode(document)))

    def _error(self, message: str, kind: str) -> bytes:
        return sse.event(msgspec.json.encode(chat_error_document(kind, message, status_of(kind))))


def _choice(delta: dict[str, Any], finish: str | None, **extra: Any) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None, **extra}


def _opening(call: _Call, block: Started) -> dict[str, Any]:
    function = {"name": block.name, "arguments": ""}
    return {"index": call.index, "id": block.id, "type": "function", "function": function}
