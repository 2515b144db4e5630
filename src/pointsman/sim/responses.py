"""POST /v1/responses: request and answer shapes, the part of OpenAI's API that a text answer needs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from pointsman.sim import answers, errors, tokens, wire
from pointsman.sim.chat import ChatBody, Length, Message, render
from pointsman.sim.engine import Job
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome, Plan

PATH = "/v1/responses"


class ResponsesBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; any others are accepted."""

    input: str | list[dict[str, Any]]
    model: str | None = None
    instructions: str | None = None
    max_output_tokens: Length | None = None
    stream: bool | None = False
    reasoning: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class ResponsesShape:
    """A response and its events. Sequence numbers are counted while the events are made."""

    request_id: str
    model: str
    text: str
    """The whole answer, which the closing events repeat."""
    created: int = field(default_factory=lambda: int(time.time()))
    _sent: list[int] = field(default_factory=lambda: [0])

    done = b""

    def event(self, value: Any) -> bytes:
        """An event named after its payload's type."""
        kind: str = value["type"]
        return b"event: " + kind.encode() + b"\n" + wire.event(value)

    def opening(self, choices: int) -> list[Any]:  # noqa: ARG002  (this API has one choice)
        """The response so far, and its empty item and part."""
        begun = self._response("in_progress", [], None)
        return [
            self._event("response.created", response=begun),
            self._event("response.in_progress", response=begun),
            self._event("response.output_item.added", output_index=0, item=self._item("", "in_progress")),
            self._event("response.content_part.added", **self._where(), part=_part("")),
        ]

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:  # noqa: ARG002  (`ending` tells it)
        """A text event."""
        return self._event("response.output_text.delta", **self._where(), delta=text, logprobs=[])

    def ending(self, outcome: Outcome, usage: dict[str, Any], *, wanted: bool) -> list[Any]:  # noqa: ARG002  (always)
        """The ends of text, part and item, and the whole response."""
        item = self._item(self.text, "completed")
        kind = "response.completed" if outcome == "stop" else "response.incomplete"
        return [
            self._event("response.output_text.done", **self._where(), text=self.text, logprobs=[]),
            self._event("response.content_part.done", **self._where(), part=_part(self.text)),
            self._event("response.output_item.done", output_index=0, item=item),
            self._event(kind, response=self._response(_status(outcome), [item], usage)),
        ]

    def error(self, error: errors.ApiError) -> Any:
        """An error as an event."""
        return self._event("error", code=str(error.status), message=error.message, param=error.param)

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:
        """A response."""
        return self._response(_status(outcome), [self._item(text, "completed") for text in texts], usage)

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        number = self._sent[0]
        self._sent[0] += 1
        return {"type": kind, "sequence_number": number, **fields}

    def _where(self) -> dict[str, Any]:
        return {"item_id": f"msg_{self.request_id}", "output_index": 0, "content_index": 0}

    def _item(self, text: str, status: str) -> dict[str, Any]:
        content = [_part(text)] if text else []
        return {
            "id": f"msg_{self.request_id}",
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _response(self, status: str, output: list[Any], usage: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": f"resp_{self.request_id}",
            "object": "response",
            "created_at": self.created,
            "model": self.model,
            "status": status,
            "output": output,
            "usage": _usage(usage) if usage else None,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": None,
            "metadata": None,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "top_p": 1.0,
            "tool_choice": "auto",
            "tools": [],
        }


def plan(envelope: Envelope, models: Models) -> Plan:
    """Compose the answer to a responses request. Raises ApiError (400, 404)."""
    body = envelope.read_as(ResponsesBody)
    if not body.input:
        raise errors.ApiError(400, "input must not be empty", param="input")
    model = models.resolve(body.model)
    turns = [Message("system", body.instructions)] if body.instructions else []
    turns += [Message("user", body.input)] if isinstance(body.input, str) else map(_turn, body.input)
    prompt = tokens.split(render(ChatBody(messages=turns, tools=body.tools)))
    effort = (body.reasoning or {}).get("effort")
    reasoning = answers.reasoning_is_on(None, effort if isinstance(effort, str) else None)
    name = models.settings.name
    pieces, outcome = answers.compose(
        envelope,
        models,
        model=model,
        text=answers.friendly(model=model, engine=name, reasoning=reasoning, system=body.instructions),
        prompt_tokens=len(prompt),
        limit=body.max_output_tokens,
    )
    return Plan(
        job=Job(model, prompt, len(pieces), answer=pieces),
        shape=ResponsesShape(envelope.request_id, model, "".join(pieces)),
        answers=[pieces],
        outcome=outcome,
        stream=bool(body.stream),
        include_usage=True,
    )


def _turn(item: dict[str, Any]) -> Message:
    """An input item as a message; what is no message counts as its JSON."""
    content, role = item.get("content"), item.get("role")
    if not isinstance(content, str | list):
        content = wire.dump(item).decode()
    if isinstance(content, list):
        content = [part for part in content if isinstance(part, str | dict)]
    return Message(role if isinstance(role, str) else "user", content)


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _status(outcome: Outcome) -> str:
    return "completed" if outcome == "stop" else "incomplete"


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "input_tokens": usage["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": usage["prompt_tokens_details"]["cached_tokens"]},
        "output_tokens": usage["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage["total_tokens"],
    }
