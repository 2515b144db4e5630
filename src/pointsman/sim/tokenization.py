"""POST /tokenize and /detokenize."""

from typing import Any

import msgspec

from pointsman.sim import errors, tokens
from pointsman.sim.chat import ChatBody, Message, render
from pointsman.sim.completions import TokenId
from pointsman.sim.envelope import Envelope
from pointsman.sim.models import Models


class TokenizeBody(msgspec.Struct, frozen=True):
    """Either a prompt or messages."""

    prompt: str | None = None
    messages: list[Message] | None = None
    tools: list[dict[str, Any]] | None = None
    model: str | None = None
    return_token_strs: bool | None = False


class DetokenizeBody(msgspec.Struct, frozen=True):
    """Token ids."""

    tokens: list[TokenId]
    model: str | None = None


def tokenize(envelope: Envelope, models: Models) -> dict[str, Any]:
    """The token ids of a prompt or of rendered messages. Raises ApiError (400, 404)."""
    body = envelope.read_as(TokenizeBody)
    models.resolve(body.model)
    if body.messages is not None:
        text = render(ChatBody(messages=body.messages, tools=body.tools))
    elif body.prompt is not None:
        text = body.prompt
    else:
        raise errors.invalid("Field required: prompt or messages", "prompt")
    token_ids = tokens.ids(text)
    return {
        "count": len(token_ids),
        "max_model_len": models.settings.max_model_len,
        "tokens": token_ids,
        "token_strs": tokens.split(text) if body.return_token_strs else None,
    }


def detokenize(envelope: Envelope, models: Models) -> dict[str, Any]:
    """The text of token ids. Raises ApiError (400, 404)."""
    body = envelope.read_as(DetokenizeBody)
    models.resolve(body.model)
    return {"prompt": tokens.text_of(body.tokens)}
