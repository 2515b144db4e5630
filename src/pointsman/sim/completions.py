"""POST /v1/completions: request and answer shapes."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from pointsman.sim import answers, errors, tokens
from pointsman.sim.chat import FINGERPRINT, MAX_CHOICES, Choices, Length, StreamOptions
from pointsman.sim.data_events import DataEvents
from pointsman.sim.engine import Job
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models
from pointsman.sim.plan import Outcome, Plan

DEFAULT_MAX_TOKENS = 16  # this API's own default, in vLLM as at OpenAI

TokenId = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class CompletionBody(msgspec.Struct, frozen=True):
    """The fields the simulator obeys; like vLLM it accepts any others."""

    prompt: str | list[str | TokenId | list[TokenId]]
    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Choices | None = 1
    max_tokens: Length | None = DEFAULT_MAX_TOKENS
    echo: bool | None = False
    cache_salt: str | None = None
    kv_transfer_params: dict[str, Any] | None = None


@dataclass(frozen=True)
class CompletionShape(DataEvents):
    """Text completions as vLLM writes them."""

    request_id: str
    model: str
    created: int = field(default_factory=lambda: int(time.time()))

    def opening(self, choices: int) -> list[Any]:  # noqa: ARG002  (this API has no opening events)
        """Nothing: text starts with the first token."""
        return []

    def delta(self, choice: int, text: str, outcome: Outcome | None) -> Any:
        """A text event."""
        return {
            **self._head(),
            "choices": [_choice(choice, text, outcome)],
            "system_fingerprint": FINGERPRINT,
        }

    def usage_event(self, usage: dict[str, Any]) -> Any:
        """An event without choices."""
        return {**self._head(), "choices": [], "usage": usage}

    def document(self, texts: Sequence[str], outcome: Outcome, usage: dict[str, Any]) -> Any:
        """A text_completion."""
        return {
            **self._head(),
            "choices": [_choice(index, text, outcome) for index, text in enumerate(texts)],
            "service_tier": None,
            "system_fingerprint": FINGERPRINT,
            "usage": usage,
            "kv_transfer_params": None,
        }

    def _head(self) -> dict[str, Any]:
        return {
            "id": f"cmpl-{self.request_id}",
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
        }


def plan(envelope: Envelope, models: Models) -> Plan:
    """Compose the answer to a completion request. Raises ApiError (400, 404)."""
    body = envelope.read_as(CompletionBody)
    if body.stream_options and not body.stream:
        raise errors.invalid("Stream options can only be defined when `stream=True`.", "stream_options")
    model = models.resolve(body.model)
    texts = prompts(body.prompt)
    choices = body.n or 1
    if len(texts) * choices > MAX_CHOICES:
        raise errors.ApiError(400, f"prompts times n must be at most {MAX_CHOICES}", param="n")
    prompt = [piece for text in texts for piece in tokens.split(text)]
    pieces, outcome = answers.compose(
        envelope,
        models,
        model=model,
        text=answers.friendly(model=model, engine=models.settings.name, reasoning=False, system=None),
        prompt_tokens=len(prompt),
        limit=body.max_tokens,
    )
    made = [_after(text, pieces) if body.echo else pieces for text in texts for _ in range(choices)]
    return Plan(
        job=Job(model, prompt, len(pieces), len(made), body.cache_salt or "", pieces),
        shape=CompletionShape(envelope.request_id, model),
        answers=made,
        outcome=outcome,
        stream=bool(body.stream),
        include_usage=bool(body.stream_options and body.stream_options.include_usage),
        kv_transfer_params=body.kv_transfer_params,
    )


def prompts(given: str | list[str | int | list[int]]) -> list[str]:
    """The texts of a prompt: text, texts, tokens, or lists of tokens. Raises ApiError (400)."""
    if isinstance(given, str):
        texts = [given]
    elif given and all(isinstance(each, int) for each in given):
        texts = [tokens.text_of([each for each in given if isinstance(each, int)])]
    else:
        texts = [
            each if isinstance(each, str) else tokens.text_of(each)
            for each in given
            if not isinstance(each, int)
        ]
        if len(texts) != len(given):
            raise errors.invalid(
                "a prompt is text, a list of texts, a list of tokens, or a list of such lists"
            )
    if not any(texts):
        raise errors.ApiError(
            400, "Either prompt or prompt_embeds must be provided and non-empty.", param="prompt"
        )
    return texts


def _after(prompt: str, pieces: list[str]) -> list[str]:
    return [prompt + pieces[0], *pieces[1:]]


def _choice(index: int, text: str, outcome: Outcome | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": outcome, "stop_reason": None}
