"""Token counts in both shapes.

OpenAI's ``prompt_tokens`` counts the whole prompt; Anthropic's ``input_tokens`` only what neither came from
the prompt cache nor was written to it.
"""

from typing import Any

import msgspec


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: int | None = None


class ChatUsage(msgspec.Struct):
    """``usage`` of OpenAI answers."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _OutputDetails(msgspec.Struct):
    thinking_tokens: int | None = None


class MessagesUsage(msgspec.Struct):
    """``usage`` of Anthropic answers; in a stream each later one replaces what it names."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None

    def updated(self, later: "MessagesUsage | None") -> "MessagesUsage":
        """These counts with those a later event names."""
        if later is None:
            return self
        named = {key: value for key, value in msgspec.structs.asdict(later).items() if value is not None}
        return msgspec.structs.replace(self, **named)


def messages_usage(usage: ChatUsage | None) -> dict[str, Any]:
    """OpenAI's counts in Anthropic's shape; zeros when there are none."""
    usage = usage or ChatUsage()
    prompt = usage.prompt_tokens_details or _PromptDetails()
    read, written = prompt.cached_tokens or 0, prompt.cache_write_tokens or 0
    counts: dict[str, Any] = {
        "input_tokens": max(0, (usage.prompt_tokens or 0) - read - written),
        "output_tokens": usage.completion_tokens or 0,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }
    details = usage.completion_tokens_details
    if details is not None and details.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": details.reasoning_tokens}
    return counts


def chat_usage(usage: MessagesUsage | None) -> dict[str, Any]:
    """Anthropic's counts in OpenAI's shape; zeros when there are none."""
    usage = usage or MessagesUsage()
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    prompt = (usage.input_tokens or 0) + read + written
    completion = usage.output_tokens or 0
    counts: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": read},
    }
    if written:
        counts["prompt_tokens_details"]["cache_write_tokens"] = written
    details = usage.output_tokens_details
    if details is not None and details.thinking_tokens is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": details.thinking_tokens}
    return counts
