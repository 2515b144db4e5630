"""What clients may not say: removed before Envoy resolves a route.

As an HTTP filter this would come too late. Envoy picks the route before the first filter runs and keeps it
unless a later one changes a header *and* clears the route cache, so with the router gone a client's own pool
header would choose the pool.
"""

from typing import Any

from pointsman.core import headers as names

_TYPE = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"

_PREFIXES = ("x-pointsman-", "x-vsr-looper-", "x-envoy-")
"""Families no client may set: ours, and those that command Envoy itself (retries, timeouts)."""


def render(unheard: tuple[str, ...] = ()) -> dict[str, Any]:
    """An early header mutation. Envoy has lower-cased the names; every copy of a header goes.

    ``unheard``: names beside our own, of headers that only a proxy before us could be believed.
    """
    exact = [{"remove": name} for name in (*names.INTERNAL_REQUEST_HEADERS, *unheard)]
    families = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in _PREFIXES]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": _TYPE, "mutations": [*exact, *families]},
    }
