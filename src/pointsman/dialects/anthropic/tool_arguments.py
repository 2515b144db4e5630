"""The arguments of a tool call: a JSON text at OpenAI, an object at Anthropic."""

from typing import Any

import msgspec

from pointsman.core.errors import HttpError
from pointsman.dialects.anthropic.wire import UpstreamFault, write

_OBJECT = msgspec.json.Decoder(dict[str, Any])


def arguments_object(text: str) -> tuple[dict[str, Any], bool]:
    """The object, and whether the text was one. Blank text is an empty object.

    Models do write arguments that are no JSON object; those are wrapped as ``{"arguments": text}``, so that
    the conversation can go on.
    """
    if not text.strip():
        return {}, True
    try:
        return _OBJECT.decode(text), True
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {"arguments": text}, False


def arguments_text(value: dict[str, Any], fault: type[HttpError] = UpstreamFault) -> str:
    """The object as compact JSON."""
    return write(value, fault).decode()
