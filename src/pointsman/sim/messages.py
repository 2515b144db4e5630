"""POST /v1/messages: request and answer shapes of Anthropic's API, as vLLM serves them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from pointsman.sim import answers, errors, tokens, wire
from pointsman.sim.chat import ChatBody, Length, Message, render
from pointsman.sim.engine import Job
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome, Plan

PATH = "/v1/messages"
COUNT_PATH = f"{PATH}/count_tokens"

_STOPS: dict[Outcome, str] = {"stop": "end_turn", "length": "max_tokens"}
_ERROR_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class MessagesBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; any others are accepted."""

    messages: list[Message]
    model: str
    max_tokens: Length
    system: str | list[dict[str, Any]] | None = None
    stream: bool | None = False
    thinking: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class MessagesShape:
    """Messages and their events."""

    request_id: str
    model: str
    prompt_tokens: int

    done = b""

    def event(self, value: Any) -> bytes:
        """An event named after its payload's type."""
        kind: str = value["type"]
        return b"event: " + kind.encode() + b"\n" + wire.event(value)

    def opening(self, choices: int) -> list[Any]:  # noqa: ARG002  (this API has one choice)
        """The message without its content, and its text block."""
        message = {
            **self._message([], None),
            "usage": {"input_tokens": self.prompt_tokens, "output_tokens": 0},
        }
        return [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ]

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:  # noqa: ARG002  (`ending` tells it)
        """A text event."""
        return {"type": "content_block_delta", "index": choice, "delta": {"type": "text_delta", "text": text}}

    def ending(self, outcome: Outcome, usage: dict[str, Any], *, wanted: bool) -> list[Any]:  # noqa: ARG002  (always)
        """The end of the block, why it ended and what it cost, and the end of the message."""
        delta = {"stop_reason": _STOPS[outcome], "stop_sequence": None}
        return [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": delta, "usage": _usage(usage)},
            {"type": "message_stop"},
        ]

    def error(self, error: errors.ApiError) -> Any:
        """An error as a body and as an event."""
        return error_body(error)

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:
        """A message."""
        content = [{"type": "text", "text": text} for text in texts]
        return {**self._message(content, _STOPS[outcome]), "usage": _usage(usage)}

    def _message(self, content: list[Any], stop_reason: str | None) -> dict[str, Any]:
        return {
            "id": f"msg_{self.request_id}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
        }


def plan(envelope: Envelope, models: Models) -> Plan:
    """Compose the answer to a messages request. Raises ApiError (400, 404)."""
    body = envelope.read_as(MessagesBody)
    if not body.messages:
        raise errors.ApiError(400, "messages must not be empty", param="messages")
    model = models.resolve(body.model)
    system = _system(body.system)
    prompt = tokens.split(render(_as_chat(body.messages, system, body.tools)))
    reasoning = (body.thinking or {}).get("type") == "enabled"
    name = models.settings.name
    pieces, outcome = answers.compose(
        envelope,
        models,
        model=model,
        text=answers.friendly(model=model, engine=name, reasoning=reasoning, system=system or None),
        prompt_tokens=len(prompt),
        limit=body.max_tokens,
    )
    return Plan(
        job=Job(model, prompt, len(pieces), answer=pieces),
        shape=MessagesShape(envelope.request_id, model, len(prompt)),
        answers=[pieces],
        outcome=outcome,
        stream=bool(body.stream),
        include_usage=True,
    )


class CountBody(msgspec.Struct, frozen=True):
    """What a prompt is made of."""

    messages: list[Message]
    model: str
    system: str | list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] | None = None


def count(envelope: Envelope, models: Models) -> dict[str, Any]:
    """The length of a prompt. Raises ApiError (400, 404)."""
    body = envelope.read_as(CountBody)
    models.resolve(body.model)
    text = render(_as_chat(body.messages, _system(body.system), body.tools))
    return {"input_tokens": len(tokens.split(text))}


def _system(given: str | list[dict[str, Any]] | None) -> str:
    return given if isinstance(given, str) else Message("system", list(given or [])).text()


def _as_chat(turns: list[Message], system: str, tools: list[dict[str, Any]] | None) -> ChatBody:
    """The same conversation as a chat request, which is what vLLM makes of it too."""
    first = [Message("system", system)] if system else []
    return ChatBody(messages=[*first, *turns], tools=tools)


def error_body(error: errors.ApiError) -> dict[str, Any]:
    """An error in Anthropic's shape."""
    kind = _ERROR_TYPES.get(error.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": error.message}}


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return {
        "input_tokens": usage["prompt_tokens"] - cached,
        "output_tokens": usage["completion_tokens"],
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
    }
