"""Header names and values that cannot break out of their line."""

import re

MAX_VALUE_BYTES = 16 * 1024
"""Longest header value sent; credentials fit, a runaway value does not fill Envoy's 60 KiB header limit."""

_NAME = re.compile(r"(?::path|[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256})\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_name(name: str) -> bool:
    """Whether ``name`` may be set or removed: an RFC 9110 token, or ``:path``."""
    return _NAME.match(name) is not None


def header_value(value: str) -> str:
    """``value`` as one line of valid Unicode: control characters become spaces, the end is cut off."""
    if value.isascii() and value.isprintable() and len(value) <= MAX_VALUE_BYTES:
        return value.strip(" ")  # nearly every value, at a tenth of the cost
    encoded = _CONTROL.sub(" ", value).encode("utf-8", "replace")
    return encoded[:MAX_VALUE_BYTES].decode("utf-8", "ignore").strip(" \t")
