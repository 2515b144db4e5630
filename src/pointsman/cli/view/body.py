"""Request bodies for people: what the client wrote is counted, not quoted."""

import json
from typing import Any

import msgspec

from pointsman.core.request import ChatRequest

_TEXT_KEYS = frozenset({"content", "prompt", "input", "text"})
"""Keys under which bodies carry what people wrote."""
_MAX_STRING = 60
_MAX_ITEMS = 4


def abbreviated(body: bytes, request: ChatRequest | None) -> Any:
    """A JSON body with the client's texts replaced by their length, long strings and lists cut short.

    A body that is not JSON is described by its size.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"<{len(body)} bytes>"
    texts = {message.text for message in request.messages if message.text} if request else set()
    # Longest first, so that a text within another does not cut it in two.
    return _shorten(value, sorted(texts, key=len, reverse=True), "")


def pretty(value: Any, width: int) -> list[str]:
    """A JSON value as lines: whatever fits in ``width`` stays on one line, the rest is indented by two."""
    return _pretty(value, width, "", "")


def _pretty(value: Any, width: int, before: str, after: str) -> list[str]:
    flat = before + _flat(value) + after
    if len(flat) <= width or not isinstance(value, dict | list) or not value:
        return [flat]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        items = [(f"{_flat(key)}: ", item) for key, item in value.items()]
    else:
        items = [("", item) for item in value]
    lines = [before + opening]
    for index, (key, item) in enumerate(items):
        comma = "," if index < len(items) - 1 else ""
        lines += ["  " + line for line in _pretty(item, width - 2, key, comma)]
    return [*lines, closing + after]


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shorten(value: Any, texts: list[str], key: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _shorten(item, texts, key if key in _TEXT_KEYS else name) for name, item in value.items()
        }
    if isinstance(value, list):
        items = [_shorten(item, texts, key) for item in value[:_MAX_ITEMS]]
        return items if len(value) <= _MAX_ITEMS else [*items, f"<{len(value) - _MAX_ITEMS} more>"]
    if isinstance(value, str):
        shown = _uncited(value, texts) if key in _TEXT_KEYS else value
        return shown if len(shown) <= _MAX_STRING else f"{shown[:_MAX_STRING]}<{len(shown)} characters>"
    return value


def _uncited(value: str, texts: list[str]) -> str:
    """A text of the body without what the client wrote."""
    if any(value in text for text in texts):
        return f"<{len(value)} characters>"
    for text in texts:
        value = value.replace(text, f"<{len(text)} characters>")
    return value
