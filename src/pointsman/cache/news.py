"""What a cache tells of its work, for counting."""

from collections.abc import Callable
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What happened."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"
    """The cache was not asked."""
    STORED = "stored"
    REFUSED = "refused"
    """An answer was not kept."""
    VETO = "veto"
    """A similar question was another one."""
    LEFT = "left"
    """Entries left the store."""
    FAILED = "failed"
    """The store or the encoder failed or was late; the request went on without."""
    WAITED = "waited"
    """A request waited for another one with the same question."""


class News(msgspec.Struct, frozen=True):
    """One event. ``detail`` says which hit, which reason; it holds nothing of the client."""

    kind: Kind
    decision: str
    detail: str = ""
    count: int = 1


Tell = Callable[[News], None]


def untold(news: News) -> None:
    """News that nobody reads."""
