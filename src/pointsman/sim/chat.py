"""POST /v1/chat/completions: request and answer shapes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from pointsman.sim import answers, errors, tokens, wire
from pointsman.sim.data_events import DataEvents
from pointsman.sim.engine import Job
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome, Plan
from pointsman.sim.settings import MAX_TOKENS_BOUND

MAX_CHOICES = 128
FINGERPRINT = "vllm-sim"

Choices = Annotated[int, msgspec.Meta(ge=1, le=MAX_CHOICES)]
Length = Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKENS_BOUND)]


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream carries besides tokens."""

    include_usage: bool | None = False


class Message(msgspec.Struct, frozen=True):
    """One message of the conversation; fields that do not change the prompt's size are not looked at."""

    role: str
    content: str | list[str | dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] | None = None

    def text(self) -> str:
        """The text of the content, parts joined."""
        if isinstance(self.content, list):
            return "\n".join(part if isinstance(part, str) else _part_text(part) for part in self.content)
        return self.content or ""


class ChatBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; like vLLM it accepts any others."""

    messages: list[Message]
    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Choices | None = 1
    max_tokens: Length | None = None
    max_completion_tokens: Length | None = None
    tools: list[dict[str, Any]] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    cache_salt: str | None = None
    kv_transfer_params: dict[str, Any] | None = None


@dataclass(frozen=True)
class ChatShape(DataEvents):
    """Chat completions as vLLM writes them."""

    request_id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    def opening(self, choices: int) -> list[Any]:
        """One role event a choice."""
        return [self._chunk(index, {"role": "assistant", "content": ""}, None) for index in range(choices)]

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:
        """A content event."""
        return self._chunk(choice, {"content": text}, outcome)

    def usage_event(self, usage: dict[str, Any]) -> Any:
        """An event without choices."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage}

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:
        """A chat.completion."""
        choices: list[dict[str, Any]] = [
            {
                "index": index,
                "message": {
                    "role": "assistant",
                    "content": text,
                    "refusal": None,
                    "annotations": None,
                    "audio": None,
                    "function_call": None,
                    "tool_calls": [],
                    "reasoning": None,
                },
                "logprobs": None,
                "finish_reason": outcome,
                "stop_reason": None,
                "token_ids": None,
            }
            for index, text in enumerate(texts)
        ]
        return {
            **self._head("chat.completion"),
            "choices": choices,
            "service_tier": None,
            "system_fingerprint": FINGERPRINT,
            "usage": usage,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
            "kv_transfer_params": None,
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.request_id}",
            "object": kind,
            "created": self.created,
            "model": self.model,
        }

    def _chunk(self, index: int, delta: dict[str, str], outcome: Outcome | None) -> dict[str, Any]:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": outcome}
        return {**self._head("chat.completion.chunk"), "choices": [choice], "system_fingerprint": FINGERPRINT}


def plan(envelope: Envelope, models: Models) -> Plan:
    """Compose the answer to a chat request. Raises ApiError (400, 404)."""
    body = envelope.read_as(ChatBody)
    if not body.messages:
        raise errors.ApiError(400, "messages must not be empty", param="messages")
    if body.stream_options and not body.stream:
        raise errors.invalid("Stream options can only be defined when `stream=True`.", "stream_options")
    model = models.resolve(body.model)
    prompt = tokens.split(render(body))
    limit = body.max_completion_tokens or body.max_tokens
    pieces, outcome = answers.compose(
        envelope,
        models,
        model=model,
        text=_friendly(body, model, models.settings.name),
        prompt_tokens=len(prompt),
        limit=limit,
    )
    choices = body.n or 1
    return Plan(
        job=Job(model, prompt, len(pieces), choices, body.cache_salt or "", pieces),
        shape=ChatShape(envelope.request_id, model),
        answers=[pieces] * choices,
        outcome=outcome,
        stream=bool(body.stream),
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
        kv_transfer_params=body.kv_transfer_params,
    )


def render(body: ChatBody) -> str:
    """The prompt a chat template would make: tools first, then the messages, then the assistant's turn."""
    parts = [f"<|tools|>{wire.dump(body.tools).decode()}\n"] if body.tools else []
    for message in body.messages:
        calls = wire.dump(message.tool_calls).decode() if message.tool_calls else ""
        parts.append(f"<|im_start|>{message.role}\n{message.text()}{calls}<|im_end|>\n")
    return "".join([*parts, "<|im_start|>assistant\n"])


def _friendly(body: ChatBody, model: str, engine: str) -> str:
    system = next((each.text() for each in body.messages if each.role in {"system", "developer"}), None)
    reasoning = answers.reasoning_is_on(body.chat_template_kwargs, body.reasoning_effort)
    return answers.friendly(model=model, engine=engine, reasoning=reasoning, system=system)


def _part_text(part: dict[str, Any]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else f"<|{part.get('type', 'part')}|>"
