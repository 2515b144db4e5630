"""A router with one caching decision, and engines that answer as told."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from pointsman.cache.answers import Answers
from pointsman.cache.news import News
from pointsman.config import parse
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.runtime import Runtime, build

Headers = Mapping[str, str]
QUESTION = "What is the capital city of Portugal?"
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def completion(content: str = "It is Lisbon, and has been for long.", **choice: Any) -> dict[str, Any]:
    """An engine's answer."""
    message = {"role": "assistant", "content": content, **choice.pop("message", {})}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "base",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None, **choice}],
        "usage": USAGE,
    }


def document(configuration: Mapping[str, Any], **more: Any) -> str:
    """A document whose only decision caches."""
    decision = {
        "name": "route",
        "rules": {"operator": "NOT", "conditions": [{"type": "keyword", "name": "never"}]},
        "modelRefs": [{"model": "base"}],
        "plugins": [
            *more.pop("plugins", []),
            {"type": "response_cache", "configuration": dict(configuration)},
        ],
        **more.pop("decision", {}),
    }
    return yaml.safe_dump(
        {
            "version": "v0.3",
            "providers": {
                "defaults": {"default_model": "base"},
                "models": [{"name": "base", "backend_refs": [{"name": "a", "endpoint": "127.0.0.1:8000"}]}],
            },
            "routing": {
                "modelCards": [{"name": "base"}],
                "signals": {"keywords": [{"name": "never", "keywords": ["zzzz"]}]},
                "decisions": [decision],
            },
            **more,
        }
    )


class Router:
    """Asks and answers; ``news`` is what the cache told."""

    def __init__(
        self, configuration: Mapping[str, Any] | None = None, answers: Answers | None = None, **more: Any
    ) -> None:
        self.news: list[News] = []
        settings = parse(document(configuration or {}, **more), {})
        self.runtime: Runtime = build(settings, {}, recalled=self.news.append, answers=answers)

    def close(self) -> None:
        """End the encoder."""
        self.runtime.close()

    @property
    def told(self) -> list[str]:
        """What the cache did, in order."""
        return [f"{each.kind}:{each.detail}".rstrip(":") for each in self.news]

    async def route(
        self, question: str = QUESTION, headers: Headers | None = None, path: str = "", **body: Any
    ) -> Ruling:
        """What the router says to a request."""
        asked = {"model": "MoM", "messages": [{"role": "user", "content": question}], **body}
        head = Head("POST", path or "/v1/chat/completions", {"x-vsr-debug": "true", **(headers or {})})
        return await self.runtime.pipeline.route(head, json.dumps(asked).encode())

    async def hit(
        self, question: str = QUESTION, headers: Headers | None = None, **body: Any
    ) -> Reply | None:
        """The answer from the cache, if there is one. A miss is left without an answer."""
        verdict = (await self.route(question, headers, **body)).verdict
        assert isinstance(verdict, Forward | Reply)
        if isinstance(verdict, Reply):
            assert verdict.headers["x-vsr-response-path"] == "cache", verdict
            return verdict
        return None

    async def answered(
        self,
        question: str = QUESTION,
        answer: dict[str, Any] | bytes | None = None,
        headers: Headers | None = None,
        status: int = 200,
        **body: Any,
    ) -> Forward:
        """Have a model answer."""
        verdict = (await self.route(question, headers, **body)).verdict
        assert isinstance(verdict, Forward), verdict
        if verdict.answer is not None:
            work = verdict.answer()
            raw = answer if isinstance(answer, bytes) else json.dumps(answer or completion()).encode()
            kind = "text/event-stream" if raw.startswith(b"data:") else "application/json"
            await work.start(status, {"content-type": kind})
            await work.feed(raw, end=True)
        return verdict
