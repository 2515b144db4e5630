"""Response headers that tell the client how its request was routed, in both header eras' default surfaces.

Schema 2 shows decision, confidence, algorithm, recipe and model; the first era also category, reasoning and
whether a system prompt was injected. Tools exist for both, so both are sent.
"""

from collections.abc import Mapping
from urllib.parse import quote

from pointsman.core import headers as names
from pointsman.core.model import Selection
from pointsman.core.request import Dialect
from pointsman.core.signal import SignalSet
from pointsman.core.trace import Trace

SCHEMA = "2"
UPSTREAM_HEADERS: Mapping[str, str] = {names.SCHEMA_VERSION: SCHEMA, names.RESPONSE_PATH: "upstream"}
"""On every answer that came from a model, whatever its status."""

_PLURAL = {"keyword": "keywords", "domain": "domains"}


def success_headers(trace: Trace, selection: Selection, *, prompted: bool, debug: bool) -> Mapping[str, str]:
    """What a 2xx answer adds; ``prompted``: a system prompt was injected, ``debug``: asked for more."""
    headers = {
        names.VSR_SELECTED_MODEL: header_safe(selection.candidate.target.name),
        names.SELECTED_ALGORITHM: selection.algorithm,
    }
    if not trace.virtual:
        return headers
    headers[names.SELECTED_RECIPE] = header_safe(trace.recipe)
    headers[names.SELECTED_REASONING] = "on" if selection.candidate.use_reasoning else "off"
    headers[names.INJECTED_SYSTEM_PROMPT] = str(prompted).lower()
    if trace.match is not None and trace.match.decision is not None:
        headers[names.SELECTED_DECISION] = header_safe(trace.match.decision.name)
        headers[names.SELECTED_CONFIDENCE] = f"{trace.match.confidence:.4f}"
    domains = [signal for signal in trace.signals if signal.key.family == "domain" and signal.matched]
    if domains:
        best = max(domains, key=lambda signal: signal.confidence)
        headers[names.SELECTED_CATEGORY] = header_safe(best.key.name)
    if debug:
        headers.update(_matched_headers(trace.signals))
    return headers


_PROTOCOLS = {Dialect.ANTHROPIC_MESSAGES: "anthropic"}


def protocol_headers(client: Dialect, upstream: Dialect, *, warnings: str, debug: bool) -> Mapping[str, str]:
    """Which APIs were spoken, where they differ or somebody debugs, and what the other one cannot say."""
    if client is upstream and not debug:
        return {}
    headers = {
        names.CLIENT_PROTOCOL: _PROTOCOLS.get(client, "openai"),
        names.UPSTREAM_PROTOCOL: _PROTOCOLS.get(upstream, "openai"),
    }
    return {**headers, names.PROTOCOL_WARNINGS: warnings} if warnings else headers


def _matched_headers(signals: SignalSet) -> dict[str, str]:
    """``x-vsr-matched-<family>`` for every family with a match."""
    matched: dict[str, list[str]] = {}
    for signal in signals:
        if signal.matched:
            matched.setdefault(signal.key.family, []).append(header_safe(signal.key.name))
    return {
        f"x-vsr-matched-{_PLURAL.get(family, family)}": ",".join(keys) for family, keys in matched.items()
    }


def header_safe(text: str) -> str:
    """A name as a header value: what printable ASCII cannot say is percent-encoded."""
    return text if text.isascii() and text.isprintable() else quote(text, safe=" ")
