"""Reducing whatever somebody logs to plain values, without secrets and without text a client wrote."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from pointsman.observe.redact import HIDDEN, WITHHELD, Redactor, is_prompt_key, is_secret_key

MAX_TEXT = 4096
"""Longest text of one field, characters; a traceback keeps its end, everything else its beginning."""
MAX_ITEMS = 100
MAX_DEPTH = 6
_TRACEBACK = "exception"
_INT64 = 2**63


class Plain:
    """The processor that does it.

    An object of a type it does not know becomes the type's name, as a repr may hold anything.
    `escape` writes control characters as escapes, so that a line stays one line on a terminal.
    """

    def __init__(self, redactor: Redactor, *, escape: bool) -> None:
        self._redactor = redactor
        self._escape = escape

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """The event with every field reduced."""
        return {str(key): self._field(str(key), value, 0) for key, value in event.items()}

    def _field(self, key: str, value: Any, depth: int) -> Any:
        if isinstance(value, bool | float) or value is None:
            return value
        if key == _TRACEBACK and isinstance(value, str):
            return _encodable(self._redactor.scrub(value)[-MAX_TEXT:])
        cover = _cover(key)
        # A number may be a secret, but it is no text a client wrote.
        if cover and value and (cover == HIDDEN or not isinstance(value, int)):
            return cover
        return self._value(value, depth)

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if -_INT64 <= value < _INT64 else str(value)
        if isinstance(value, PurePath):
            return self._text(str(value))
        if isinstance(value, BaseException):
            return self._text(f"{type(value).__name__}: {value}")
        return self._collection(value, depth)

    def _collection(self, value: Any, depth: int) -> Any:
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            items = list(value.items())[:MAX_ITEMS]
            return {self._text(str(key)): self._field(str(key), item, depth + 1) for key, item in items}
        if (
            depth < MAX_DEPTH
            and isinstance(value, Sequence | AbstractSet)
            and not isinstance(value, bytes | bytearray)
        ):
            return [self._value(item, depth + 1) for item in list(value)[:MAX_ITEMS]]
        return f"<{type(value).__name__}>"

    def _text(self, text: str) -> str:
        # Secrets go before the cut, which could leave the half of one that no search finds.
        text = _encodable(self._redactor.scrub(text)[:MAX_TEXT])
        if self._escape and not text.isprintable():
            return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        return text


@lru_cache(maxsize=1024)
def _cover(key: str) -> str:
    """What stands in a line for the value of this key; empty when it may be shown."""
    if is_secret_key(key):
        return HIDDEN
    return WITHHELD if is_prompt_key(key) else ""


def _encodable(text: str) -> str:
    # Half a surrogate pair cannot be written as UTF-8, and a line lost for it would be the one that matters.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
