"""What a client asks of the cache in a header, in words like those of ``Cache-Control``."""

from collections.abc import Collection
from typing import Final

import msgspec

HEADER: Final = "x-vsr-cache-control"
DIRECTIVES: Final = ("no-cache", "no-store", "bypass", "max-age", "ttl")


class Controls(msgspec.Struct, frozen=True):
    """What one request allows."""

    read: bool = True
    """Whether it may be answered from the cache."""
    write: bool = True
    """Whether its answer may be kept."""
    max_age_s: float | None = None
    """Oldest answer that is good enough, seconds; ``None`` takes any."""
    ttl_s: float | None = None
    """How long its answer may be kept at most, seconds; ``None`` as long as the document says."""


def controls_of(value: str, allowed: Collection[str]) -> Controls:
    """Read the header. Directives that are unknown or not ``allowed`` mean nothing.

    A number that cannot be read counts as 0: the client wanted less of the cache, not more.
    """
    found = Controls()
    for directive in value.lower().split(","):
        name, _, number = (part.strip() for part in directive.partition("="))
        if name not in allowed:
            continue
        match name:
            case "no-cache":
                found = msgspec.structs.replace(found, read=False)
            case "no-store":
                found = msgspec.structs.replace(found, write=False)
            case "bypass":
                found = msgspec.structs.replace(found, read=False, write=False)
            case "max-age":
                found = msgspec.structs.replace(found, max_age_s=_seconds(number))
            case "ttl":
                found = msgspec.structs.replace(found, ttl_s=_seconds(number))
    return found


def _seconds(number: str) -> float:
    number = number.strip('"')
    return float(number) if number.isascii() and number.isdigit() and len(number) <= 12 else 0.0
