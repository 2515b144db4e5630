"""The port every source of replicas implements."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Protocol

import msgspec

from pointsman.core.endpoint import Endpoint

Publish = Callable[[Iterable[Endpoint]], None]
"""Takes the whole set that a source knows now; what was published before is replaced."""


class Change(StrEnum):
    """What happened at a source."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    SYNCED = "synced"
    """The whole truth was seen: a list, or a resolution."""
    EXPIRED = "expired"
    """The server no longer has what follows the version we know (410): a list comes next."""
    SILENT = "silent"
    """Nothing came for so long that the watch counts as broken."""
    REFUSED = "refused"
    """We may not ask, or what we ask for does not exist."""
    FAILED = "failed"
    """It could not be asked; what is known stays."""
    TRUNCATED = "truncated"
    """It found more replicas than it may."""


TROUBLE = frozenset({Change.EXPIRED, Change.SILENT, Change.REFUSED, Change.FAILED, Change.TRUNCATED})
"""Changes that count as errors."""


class Event(msgspec.Struct, frozen=True):
    """One thing that happened at a source."""

    source: str
    change: Change
    detail: str = ""
    """For people; no credentials in it."""


Report = Callable[[Event], None]


def unreported(event: Event) -> None:
    """Nobody wants to know."""
    del event


class Source(Protocol):
    """Finds replicas; the ``health`` of what it publishes is what it can vouch for, else ``UNKNOWN``."""

    @property
    def name(self) -> str:
        """Its key below ``fleet``: ``static``, ``dns[0]``, ..."""

    async def run(self, publish: Publish) -> None:
        """Publish a whole set whenever it changes, until cancelled; nothing before something is known.

        An empty ``pool`` stands for any provider model whose name the engine answers to. Trouble with what
        it asks is not raised: it keeps what it knows, reports, and tries again.
        """
