"""Which answers may be given again: whole ones that ended of themselves, in words, to the end."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec


class Refusal(StrEnum):
    """Why an answer is not kept."""

    STATUS = "status"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    CUT = "cut"
    CHOICES = "choices"
    FINISH = "finish"
    TOOLS = "tools"
    REFUSED = "refused"
    LOGPROBS = "logprobs"
    EMPTY = "empty"
    GUARDED = "guarded"
    UNKNOWN = "unknown"
    PERSONAL = "personal"
    ASKED = "asked"
    """The client or the decision wants it so."""


_TOOLS: Final = ("tool_calls", "function_call")
_WARNINGS: Final = "x_vsr_response_warnings"


def refusal_of(document: Any) -> Refusal | None:  # noqa: PLR0911  # one return a rule
    """What speaks against keeping a chat completion; ``None`` when nothing does."""
    if not isinstance(document, dict) or document.get("error"):
        return Refusal.UNREADABLE
    if document.get(_WARNINGS):
        return Refusal.GUARDED
    choices = document.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return Refusal.CHOICES
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        return Refusal.UNREADABLE
    if any(message.get(name) for name in _TOOLS):
        return Refusal.TOOLS
    if choice.get("finish_reason") != "stop":
        return Refusal.FINISH
    if message.get("refusal"):
        return Refusal.REFUSED
    if choice.get("logprobs") or document.get("prompt_logprobs") or message.get("audio"):
        return Refusal.LOGPROBS if not message.get("audio") else Refusal.UNKNOWN
    content = message.get("content")
    if not isinstance(content, str) or not content.strip():
        return Refusal.EMPTY
    return None


class Assembly:
    """A streamed chat completion put together again; holds at most ``limit`` characters."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._head: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {}
        self._finish: str | None = None
        self._stop: Any = None
        self._usage: Any = None
        self.done = False
        """The stream said that it is over."""
        self.refusal: Refusal | None = None
        """Why it will not be kept, as far as is known."""

    def take(self, payload: bytes) -> None:
        """The next event's data."""
        if self.refusal is not None or self.done:
            return
        if payload.strip() == b"[DONE]":
            self.done = True
            return
        try:
            chunk = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            chunk = None
        self.refusal = self._read(chunk)

    def document(self) -> dict[str, Any] | None:
        """The whole answer; ``None`` when it was cut or may not be kept."""
        if not self.done or self._finish is None:
            self.refusal = self.refusal or Refusal.CUT
        if self.refusal is not None:
            return None
        message = {"role": "assistant", **{name: "".join(parts) for name, parts in self._texts.items()}}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish}
        if self._stop is not None:
            choice["stop_reason"] = self._stop
        head = {"id": "", "object": "chat.completion", **self._head}
        return {**head, "choices": [choice], "usage": self._usage}

    def _read(self, chunk: Any) -> Refusal | None:
        if not isinstance(chunk, dict) or chunk.get("error"):
            return Refusal.UNREADABLE
        if chunk.get(_WARNINGS):
            return Refusal.GUARDED
        for name in ("created", "model", "system_fingerprint", "service_tier"):
            if chunk.get(name) is not None:
                self._head[name] = chunk[name]
        self._usage = chunk.get("usage") or self._usage
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            return Refusal.UNREADABLE
        return next((found for choice in choices if (found := self._choice(choice))), None)

    def _choice(self, choice: Mapping[str, Any]) -> Refusal | None:
        if choice.get("index", 0) != 0:
            return Refusal.CHOICES
        if choice.get("logprobs"):
            return Refusal.LOGPROBS
        if choice.get("finish_reason") is not None:
            self._finish, self._stop = choice["finish_reason"], choice.get("stop_reason")
        return self._delta(choice.get("delta") or {})

    def _delta(self, delta: Mapping[str, Any]) -> Refusal | None:
        for name, value in delta.items():
            if name == "role" or value in (None, "", []):
                continue
            if name in _TOOLS:
                return Refusal.TOOLS
            if name == "refusal":
                return Refusal.REFUSED
            if name not in {"content", "reasoning_content", "reasoning"} or not isinstance(value, str):
                return Refusal.UNKNOWN
            self._size += len(value)
            if self._size > self._limit:
                return Refusal.TOO_LARGE
            self._texts.setdefault(name, []).append(value)
        return None
