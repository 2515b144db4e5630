"""An OpenAI chat stream as an Anthropic one."""

from typing import Any

import msgspec

from pointsman.dialects.anthropic.chat_to_answer import made_up_id, message_head
from pointsman.dialects.anthropic.chat_values import Choice, Chunk, Said, ToolCall
from pointsman.dialects.anthropic.errors import error_document, error_type, said
from pointsman.dialects.anthropic.events import named_event
from pointsman.dialects.anthropic.loss import Reason
from pointsman.dialects.anthropic.stops import knows_finish, stop_reason
from pointsman.dialects.anthropic.stream import HALFWAY, LIMIT, StreamTranslation
from pointsman.dialects.anthropic.usage import ChatUsage, messages_usage
from pointsman.dialects.anthropic.wire import UpstreamFault, read

_CHUNK = msgspec.json.Decoder(Chunk)
_TEXT, _THINKING, _TOOL = "text", "thinking", "tool_use"


class ChatToStream(StreamTranslation):
    """Reads ``chat.completion.chunk`` events, writes ``message_start`` to ``message_stop``.

    Blocks follow each other: a text, a thought or the next call ends the block before it. The counts of
    ``message_start`` are those of the first chunk (mostly zero); ``message_delta`` has the final ones.
    ``thinking``: show the model's reasoning as thinking blocks (unsigned).
    """

    def __init__(self, *, thinking: bool = True, limit: int = LIMIT) -> None:
        super().__init__(limit)
        self._thinking = thinking
        self._started = False
        self._block = ""
        self._blocks = 0
        self._call = -1
        self._calls = 0
        self._finish: Choice | None = None
        self._refused = False
        self._usage: ChatUsage | None = None

    def _event(self, payload: bytes) -> None:
        if payload.strip() == b"[DONE]":
            self._end()
            return
        chunk = read(payload, _CHUNK, fault=UpstreamFault)
        if chunk.error is not None or chunk.object == "error":
            self._told(chunk.error if chunk.error is not None else {"message": chunk.message})
            return
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not self._started:
            self._start(chunk)
        for choice in chunk.choices or []:
            if choice.index == 0:
                self._choice(choice)
            else:
                self._losses.lossy(Reason.DROPPED, "choices[1]")

    def _told(self, error: Any) -> None:
        message, _ = said(error)
        code = error.get("code") if isinstance(error, dict) else None
        self._fail(message, error_type(code if isinstance(code, int) else 500))

    def _start(self, chunk: Chunk) -> None:
        self._started = True
        message = {
            **message_head(chunk.id, chunk.model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": messages_usage(self._usage),
        }
        self._write({"type": "message_start", "message": message})

    def _choice(self, choice: Choice) -> None:
        if choice.logprobs is not None:
            self._losses.lossy(Reason.DROPPED, "choices[0].logprobs")
        if choice.delta is not None:
            self._delta(choice.delta)
        if choice.finish_reason is not None:
            self._finish = Choice(finish_reason=choice.finish_reason, stop_reason=choice.stop_reason)

    def _delta(self, delta: Said) -> None:
        if delta.audio or delta.annotations:
            self._losses.lossy(Reason.DROPPED, "choices[0].delta")
        if delta.thought and self._thinking:
            self._within(_THINKING, {"type": _THINKING, "thinking": "", "signature": ""})
            self._piece({"type": "thinking_delta", "thinking": delta.thought})
        if delta.refusal:
            self._refused = True
        text = f"{delta.content or ''}{delta.refusal or ''}"
        if text:
            self._within(_TEXT, {"type": _TEXT, "text": ""})
            self._piece({"type": "text_delta", "text": text})
        for call in delta.tool_calls or []:
            self._tool(call)

    def _tool(self, call: ToolCall) -> None:
        name = call.function.name if call.function else None
        arguments = (call.function.arguments if call.function else None) or ""
        if call.index > self._call:
            if not name:
                raise UpstreamFault(f"tool call {call.index} starts without a name")
            self._call = call.index
            self._open(
                _TOOL,
                {
                    "type": _TOOL,
                    "id": call.id or made_up_id(self._calls),
                    "name": name,
                    "input": {},
                },
            )
            self._calls += 1
        elif arguments and (call.index < self._call or self._block != _TOOL):
            raise UpstreamFault(f"tool call {call.index} goes on after its block has ended")
        if arguments:
            self._piece({"type": "input_json_delta", "partial_json": arguments})

    def _within(self, kind: str, block: dict[str, Any]) -> None:
        if self._block != kind:
            self._open(kind, block)

    def _open(self, kind: str, block: dict[str, Any]) -> None:
        self._shut()
        self._block = kind
        self._write({"type": "content_block_start", "index": self._blocks, "content_block": block})

    def _piece(self, delta: dict[str, str]) -> None:
        self._write({"type": "content_block_delta", "index": self._blocks, "delta": delta})

    def _shut(self) -> None:
        if self._block:
            self._write({"type": "content_block_stop", "index": self._blocks})
            self._blocks += 1
            self._block = ""

    def _end(self) -> None:
        if not self._started:
            self._fail(HALFWAY)
            return
        finish = self._finish or Choice()
        if not knows_finish(finish.finish_reason):
            self._losses.info(Reason.STOP_REASON, "choices[0].finish_reason")
        tools = self._calls > 0
        reason = stop_reason(finish.finish_reason, matched=finish.matched, tools=tools)
        reason = "refusal" if self._refused else reason
        sequence = finish.matched if reason == "stop_sequence" else None
        self._shut()
        self._write(
            {
                "type": "message_delta",
                "delta": {"stop_reason": reason, "stop_sequence": sequence},
                "usage": messages_usage(self._usage),
            }
        )
        self._write({"type": "message_stop"})
        self.done = True

    def _close(self) -> None:
        if self._finish is None:
            self._fail(HALFWAY)
        else:
            self._end()

    def _write(self, event: dict[str, Any]) -> None:
        self._out.append(named_event(event))

    def _error(self, message: str, kind: str) -> bytes:
        return named_event(error_document(kind, message))
