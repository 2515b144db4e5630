"""What Anthropic providers answer: the fields read here; all others pass unseen."""

from typing import Any

import msgspec

from pointsman.dialects.anthropic.usage import MessagesUsage


class AnswerMessage(msgspec.Struct):
    """A finished message, or in a stream's first event the head of one."""

    content: list[msgspec.Raw] | None = None
    id: str = ""
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: MessagesUsage | None = None


class Started(msgspec.Struct):
    """A block as it begins."""

    type: str
    text: str | None = None
    thinking: str | None = None
    id: str = ""
    name: str = ""
    input: Any = None


class Delta(msgspec.Struct):
    """A piece of a block, or the end of the message."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Event(msgspec.Struct):
    """One event of a stream; which fields it has depends on its type."""

    type: str
    index: int = 0
    message: AnswerMessage | None = None
    content_block: Started | None = None
    delta: Delta | None = None
    usage: MessagesUsage | None = None
    error: Any = None
