"""Internet addresses and e-mail addresses."""

from collections.abc import Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import re2

from pointsman.pii.context import Context
from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_V4 = re2.compile(r"[0-9]+(?:\.[0-9]+)+")
_V6 = re2.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*")
_LONGEST_V6 = 45
_MOST_GROUPS = 8
_VERSION = Context(
    "ip*, server*, host*, address*, ping, 地址",
    "version*, release*, 版本, section",
)
_EMAIL = re2.compile(r"[A-Za-z0-9.%+'_-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LONGEST_LOCAL, _LONGEST_EMAIL, _LONGEST_LABEL = 64, 254, 63
_WRAPPING = ".-+'%_"
"""What may stand in a local part and much more often stands around an address."""


def ip_addresses(page: Page) -> Iterator[Finding]:
    """IPv4 and IPv6 addresses, as `ipaddress` judges them; not versions, times, slices or scopes."""
    for start, end in page.hits(_V4):
        # A longer chain of numbers is a version or an object identifier.
        if end - start > 15 or not page.alone(start, end) or _VERSION.contradicted(page, start):
            continue
        try:
            v4 = IPv4Address(page.plain[start:end])
        except AddressValueError:
            continue
        # The machine itself and network masks say nothing about anyone.
        common = v4.is_loopback or v4.is_unspecified or v4.packed[0] in {0, 255}
        yield _address(start, end, "ipv4", 0.3 if common else 0.95)
    for start, reach in page.hits(_V6):
        end = _end_of_v6(page.plain, start, reach)
        if page.alone(start, end) and _is_v6(page.plain[start:end]):
            yield _address(start, end, "ipv6", 0.95)


def emails(page: Page) -> Iterator[Finding]:
    """E-mail addresses (RFC 5321 lengths; of the unquoted form what is in use)."""
    if "@" not in page.plain:
        return
    for first, last in page.hits(_EMAIL):
        at = page.plain.index("@", first, last)
        local, labels = page.plain[first:at].lstrip(_WRAPPING), page.plain[at + 1 : last].split(".")
        while labels and not (labels[-1].isalpha() and len(labels[-1]) > 1):
            labels.pop()
        start, end = at - len(local), at + 1 + len(".".join(labels))
        sound = local and not local.endswith(".") and ".." not in local and len(labels) > 1
        short = len(local) <= _LONGEST_LOCAL and end - start <= _LONGEST_EMAIL
        if sound and short and all(0 < len(label) <= _LONGEST_LABEL for label in labels):
            yield Finding(Label.EMAIL_ADDRESS, start, end, 0.97, ("format",))


def _address(start: int, end: int, version: str, score: float) -> Finding:
    return Finding(Label.IP_ADDRESS, start, end, score, ("format", version))


def _end_of_v6(plain: str, start: int, reach: int) -> int:
    """Where an address ends, without the sentence's punctuation and without a port; `start` when too long."""
    if reach - start > _LONGEST_V6 + len(":65535"):
        return start
    written = plain[start:reach].rstrip(".")
    if written.endswith(":") and not written.endswith("::"):
        written = written[:-1]
    groups = written.split(":")
    # A port written without brackets is a ninth group.
    port = groups[-1] if len(groups) == _MOST_GROUPS + 1 and all(groups) else ""
    return start + len(written) - (len(port) + 1 if port.isdecimal() else 0)


def _is_v6(written: str) -> bool:
    try:
        address = IPv6Address(written)
    except AddressValueError:
        return False
    groups = [group for group in written.split(":") if group]
    if address.is_loopback or len(groups) < 2:
        return False
    # `a[100::200]` and `a::b` are code; an address has a long group that is not a plain number, or many.
    telling = any(len(group) > 2 and not group.isdecimal() for group in groups) or len(groups) > 2
    return len(groups) >= _MOST_GROUPS - 1 or (telling and any(map(str.isdigit, written)))
