"""How many tokens a request is expected to use, before anyone knows."""

from typing import Final

import msgspec

from pointsman.core.request import ChatRequest
from pointsman.core.tokens import estimate_tokens

ANSWER_TOKENS: Final = 512
"""Expected of an answer whose length the client did not limit."""
MOST_ANSWER_TOKENS: Final = 2048
"""Most that a client's limit counts for: many ask for far more than they use."""
IMAGE_TOKENS: Final = 600
"""Of an image, about what engines make of one of medium size."""
_MESSAGE_TOKENS: Final = 4


class _Limits(msgspec.Struct):
    max_tokens: object = None
    max_completion_tokens: object = None
    max_output_tokens: object = None


_DECODER = msgspec.json.Decoder(_Limits)


def estimated_tokens(request: ChatRequest) -> int:
    """Prompt and answer; the body says how long the answer may become."""
    prompt = sum(
        estimate_tokens(message.text) + message.images * IMAGE_TOKENS + _MESSAGE_TOKENS
        for message in request.messages
    )
    return prompt + _answer(request.raw)


def _answer(raw: bytes) -> int:
    try:
        asked = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ANSWER_TOKENS
    limits = (asked.max_completion_tokens, asked.max_tokens, asked.max_output_tokens)
    found = [limit for limit in limits if isinstance(limit, int) and limit >= 0]
    return min(*found, MOST_ANSWER_TOKENS) if found else ANSWER_TOKENS
