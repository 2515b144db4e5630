"""A place in an answer where a piece of a text stands."""

from collections.abc import Callable
from typing import Any

import msgspec

Lane = tuple[Any, ...]
"""Names a lane; its first element names the group (choice or content block) it ends with."""


class Slot(msgspec.Struct):
    """A place in a decoded event or answer where a piece of a lane stands; what is written there is sent."""

    lane: Lane
    container: Any
    field: Any
    alone: bool
    """Whether the event is for nothing but this piece."""
    event: Callable[[str], dict[str, Any]]
    """A further event of this lane, with this text."""
    quoted: bool = False
    """Whether the text is JSON."""

    @property
    def text(self) -> str:
        """What stands there."""
        value: str = self.container[self.field]
        return value
