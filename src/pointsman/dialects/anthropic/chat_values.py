"""What OpenAI engines answer: the fields read here; all others pass unseen."""

from typing import Any

import msgspec

from pointsman.dialects.anthropic.usage import ChatUsage


class Function(msgspec.Struct):
    """A called function, or a piece of one."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct):
    """A tool call, or a piece of one; ``index`` says of which."""

    id: str | None = None
    function: Function | None = None
    index: int = 0


class Said(msgspec.Struct):
    """A message, or a piece of one. Engines spell reasoning in either of two ways."""

    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None
    audio: Any = None
    annotations: Any = None

    @property
    def thought(self) -> str:
        """The reasoning, however it was spelled."""
        return self.reasoning or self.reasoning_content or ""


class Choice(msgspec.Struct):
    """One of the answers."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    """vLLM's: the stop string (or token id) that ended the answer."""
    logprobs: Any = None

    @property
    def matched(self) -> str | None:
        """The stop string that ended the answer."""
        return self.stop_reason if isinstance(self.stop_reason, str) else None


class Completion(msgspec.Struct):
    """A ``chat.completion``."""

    choices: list[Choice]
    id: str | None = None
    model: str | None = None
    usage: ChatUsage | None = None


class Chunk(msgspec.Struct):
    """A ``chat.completion.chunk``, or an error in its place."""

    choices: list[Choice] | None = None
    id: str | None = None
    model: str | None = None
    usage: ChatUsage | None = None
    error: Any = None
    object: Any = None
    message: Any = None
    """Of an error in vLLM's older shape, whose ``object`` is ``error``."""
