"""Content blocks of Anthropic messages. Types not listed here are kept as their type alone."""

from typing import Any

import msgspec

from pointsman.core.errors import HttpError, RequestError
from pointsman.dialects.anthropic.wire import read


class Text(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Plain text."""

    text: str
    citations: list[Any] | None = None


class Base64(msgspec.Struct, frozen=True, tag_field="type", tag="base64"):
    """Image bytes in the body."""

    media_type: str
    data: str


class Url(msgspec.Struct, frozen=True, tag_field="type", tag="url"):
    """An image the server fetches."""

    url: str


class File(msgspec.Struct, frozen=True, tag_field="type", tag="file"):
    """An image uploaded before; only the provider that holds it can read it."""

    file_id: str


class Image(msgspec.Struct, frozen=True, tag_field="type", tag="image"):
    """An image."""

    source: Base64 | Url | File


class ToolUse(msgspec.Struct, frozen=True, tag_field="type", tag="tool_use"):
    """The model calls a tool of the client."""

    id: str
    name: str
    input: dict[str, Any] = {}


class ToolResult(msgspec.Struct, frozen=True, tag_field="type", tag="tool_result"):
    """What the client's tool answered."""

    tool_use_id: str
    content: str | list[msgspec.Raw] | None = None
    is_error: bool | None = None


class Thinking(msgspec.Struct, frozen=True, tag_field="type", tag="thinking"):
    """The model's reasoning, signed by the provider that made it."""

    thinking: str
    signature: str = ""


class RedactedThinking(msgspec.Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """Reasoning only the provider can read."""

    data: str = ""


class Other(msgspec.Struct, frozen=True):
    """A block of a type that has no counterpart (documents, server tools, whatever comes next)."""

    type: str


Block = Text | Image | ToolUse | ToolResult | Thinking | RedactedThinking | Other

_KNOWN = {"text", "image", "tool_use", "tool_result", "thinking", "redacted_thinking"}
_TYPE = msgspec.json.Decoder(Other)
_BLOCK = msgspec.json.Decoder(Text | Image | ToolUse | ToolResult | Thinking | RedactedThinking)


def read_block(raw: msgspec.Raw, path: str, fault: type[HttpError] = RequestError) -> Block:
    """One block found at ``path``; raises ``fault`` naming the field at fault."""
    other = read(raw, _TYPE, path=path, fault=fault)
    return read(raw, _BLOCK, path=path, fault=fault) if other.type in _KNOWN else other


def read_content(content: str | list[msgspec.Raw] | None, path: str) -> list[Block]:
    """A message's content as blocks; a string is one text block, an empty one none."""
    if content is None or isinstance(content, str):
        return [Text(content)] if content else []
    return [read_block(raw, f"{path}[{index}]") for index, raw in enumerate(content)]
