"""Legacy OpenAI completions: bytes to ``ChatRequest``, answers in its shape."""

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.verdict import Reply
from pointsman.dialects import sse
from pointsman.dialects.body import decode


class _Completion(msgspec.Struct):
    model: str
    prompt: str | list[str | int | list[int]]
    stream: bool | None = None
    user: str | None = None


_DECODER = msgspec.json.Decoder(_Completion)


def understand(raw: bytes) -> ChatRequest:
    """Read a completion request. Token-id prompts carry no text, so signals see none."""
    body = decode(raw, _DECODER)
    if not body.model:
        raise RequestError("model: must not be empty", param="model")
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    text = "\n".join(prompt for prompt in prompts if isinstance(prompt, str))
    return ChatRequest(
        dialect=Dialect.OPENAI_COMPLETIONS,
        model=body.model,
        messages=(Message("user", text),),
        raw=raw,
        stream=bool(body.stream),
        user=body.user or "",
    )


def answer(text: str, *, stream: bool, created: int, headers: dict[str, str]) -> Reply:
    """A complete answer made by the router itself, as JSON or as server-sent events."""
    choice = {"index": 0, "text": text, "finish_reason": "stop", "logprobs": None}
    document = {
        "id": f"cmpl-fast-{created}",
        "object": "text_completion",
        "created": created,
        "model": "router",
        "choices": [choice],
    }
    if stream:
        body = sse.event(msgspec.json.encode(document)) + sse.DONE
        return Reply(200, {"content-type": sse.CONTENT_TYPE, "cache-control": "no-cache", **headers}, body)
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    body = msgspec.json.encode({**document, "usage": usage})
    return Reply(200, {"content-type": "application/json", **headers}, body)
