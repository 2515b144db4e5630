"""What a client may ask of compression, by header: ``bypass``, or ``target=2000``, in tokens."""

from collections.abc import Mapping
from typing import Final

import msgspec

BYPASS: Final = "bypass"
TARGET: Final = "target"
DIRECTIVES: Final = (BYPASS, TARGET)
_LEAST: Final = 64


class Wish(msgspec.Struct, frozen=True):
    """What one client asked for."""

    bypass: bool = False
    target: int | None = None
    """Tokens to which each tool output is cut."""


class Control(msgspec.Struct, frozen=True):
    """Which directives of which header are honoured; others are as if they were not there."""

    header: str
    allowed: frozenset[str]
    max_target: int | None = None

    def read(self, headers: Mapping[str, str]) -> Wish:
        """The client's wish; several directives are separated by commas."""
        wish = Wish()
        for written in headers.get(self.header, "").lower().split(","):
            name, _, value = (part.strip() for part in written.partition("="))
            if name not in self.allowed:
                continue
            if name == BYPASS:
                wish = Wish(bypass=True, target=wish.target)
            elif name == TARGET and value.isascii() and value.isdigit():
                asked = max(_LEAST, int(value[:12]))
                wish = Wish(wish.bypass, min(asked, self.max_target or asked))
        return wish
