"""What a translation could not carry over, said aloud instead of dropped in silence."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

MAX_HEADER = 4096
"""Bytes of the ``x-vsr-protocol-warnings`` header, as the upstream router bounds it."""


class Severity(StrEnum):
    """Whether the answer may differ because of it."""

    INFO = "info"
    """The answer is the same; a convenience (caching, an id, a spelling) is gone."""
    LOSSY = "lossy"
    """The model sees or does something else than it was asked."""


class Reason(StrEnum):
    """Why, as a stable token. Those the upstream router also knows keep its spelling."""

    DROPPED = "dropped"
    """No equivalent on the other side."""
    UNSUPPORTED_BLOCK = "unsupported_block_type"
    UNSUPPORTED_SUBTYPE = "unsupported_subtype"
    IMAGE_FILE = "image_file_id_unresolved"
    REDACTED_THINKING = "redacted_thinking_dropped"
    SIGNATURE = "signature_drop_on_openai_backend"
    SERVER_TOOL = "server_tool_drop_on_openai_backend"
    TOP_K = "top_k_drop_on_openai_backend"
    STOP_REASON = "anthropic_stop_reason_coerced"
    TRUNCATED = "warnings_truncated"
    """Ends a header that had no room for all; the field is how many are missing."""
    COERCED = "coerced"
    """Replaced by the nearest value the other side has."""
    DEFAULTED = "defaulted"
    """Required on the other side and absent here: a documented default was written."""
    MOVED = "moved"
    """Kept, but in another place than it stood in."""
    EMPTY = "empty_message_dropped"
    """A message without content, which the other side refuses."""
    ARGUMENTS = "arguments_not_an_object"
    """A tool call whose arguments are no JSON object, wrapped as ``{"arguments": text}``."""


class Loss(msgspec.Struct, frozen=True):
    """One field that was not carried as it stood."""

    severity: Severity
    reason: Reason
    field: str
    """Path in the body that was read, e.g. ``messages[2].content[0]``."""

    def __str__(self) -> str:
        return f"{self.severity};{self.reason};{self.field}"


class Translated(msgspec.Struct, frozen=True):
    """A body in the other format, and what did not fit."""

    body: bytes
    losses: tuple[Loss, ...] = ()


class Losses:
    """Collects losses while a body is translated: each once, in the order met."""

    def __init__(self) -> None:
        self._met: dict[Loss, None] = {}

    def info(self, reason: Reason, field: str) -> None:
        """Note a loss that does not change the answer."""
        self._met[Loss(Severity.INFO, reason, field)] = None

    def lossy(self, reason: Reason, field: str) -> None:
        """Note a loss that may change the answer."""
        self._met[Loss(Severity.LOSSY, reason, field)] = None

    def all(self) -> tuple[Loss, ...]:
        """What was noted so far."""
        return tuple(self._met)


def header_value(losses: Iterable[Loss], limit: int = MAX_HEADER) -> str:
    """The losses as ``severity;reason;field`` entries joined by commas, at most ``limit`` characters.

    Field names come from the client: what a header or the list cannot say becomes an underscore. When not all
    fit, the last entry is ``info;warnings_truncated;<how many are missing>``.
    """
    entries = [_entry(loss) for loss in losses]
    if len(value := ",".join(entries)) <= limit:
        return value
    kept: list[str] = []
    room = limit - len(_truncated(len(entries)))
    for entry in entries:
        room -= len(entry) + 1
        if room < 0:
            break
        kept.append(entry)
    return ",".join([*kept, _truncated(len(entries) - len(kept))])


def _truncated(missing: int) -> str:
    return f"{Severity.INFO};{Reason.TRUNCATED};{missing}"


def _entry(loss: Loss) -> str:
    field = "".join(
        char if char.isascii() and char.isprintable() and char not in ",; " else "_" for char in loss.field
    )
    return f"{loss.severity};{loss.reason};{field}"
