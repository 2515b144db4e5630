"""Signals that never hold together, read off their declarations."""

from itertools import combinations

from pointsman.config.signals import Signals
from pointsman.core.signal import SignalKey


def exclusive_signals(signals: Signals) -> frozenset[frozenset[SignalKey]]:
    """Pairs of domains without a common label: a text has one top label, so at most one of them matches."""
    labels = {
        SignalKey("domain", rule.name): {_label(name) for name in rule.mmlu_categories or (rule.name,)}
        for rule in signals.domains
    }
    return frozenset(
        frozenset((one, other))
        for one, other in combinations(labels, 2)
        if labels[one].isdisjoint(labels[other])
    )


def _label(name: str) -> str:
    # The comparison that domain signals make.
    return name.strip().casefold().replace("_", " ")
