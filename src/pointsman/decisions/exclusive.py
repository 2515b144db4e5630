"""Signals that never hold together, read off their declarations."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from pointsman.config.projection_keys import BAND
from pointsman.config.routing import Routing
from pointsman.core.domain_labels import domain_label
from pointsman.core.signal import SignalKey
from pointsman.decisions.partitions import partitioned

Pair = frozenset[SignalKey]


def exclusive_signals(routing: Routing) -> frozenset[Pair]:
    """Pairs of which at most one matches, whatever the request.

    Members of one partition, bands of which the first that holds matches, and, unless a partition lets one
    match by default, domains without a common label (a text has one top label) and levels of one complexity
    rule.
    """
    groups = [*partitioned(routing)]
    defaults = {
        SignalKey(members[0].family, partition.default) for partition, members in groups if partition.default
    }
    by_nature = {pair for pair in (*_domains(routing), *_levels(routing)) if defaults.isdisjoint(pair)}
    by_choice = {pair for _, members in groups for pair in _pairs(members)}
    return frozenset(by_nature | by_choice | {*_bands(routing)})


def _domains(routing: Routing) -> Iterator[Pair]:
    labels = {
        SignalKey("domain", rule.name): {domain_label(name) for name in rule.mmlu_categories or (rule.name,)}
        for rule in routing.signals.domains
    }
    for one, other in combinations(labels, 2):
        if labels[one].isdisjoint(labels[other]):
            yield frozenset((one, other))


def _levels(routing: Routing) -> Iterator[Pair]:
    for rule in routing.signals.complexity:
        yield from _pairs(
            [SignalKey("complexity", f"{rule.name}:{level}") for level in ("hard", "medium", "easy")]
        )


def _bands(routing: Routing) -> Iterator[Pair]:
    for mapping in routing.projections.mappings:
        if mapping.method == "threshold_bands":
            yield from _pairs([SignalKey(BAND, output.name) for output in mapping.outputs])


def _pairs(keys: Sequence[SignalKey]) -> Iterator[Pair]:
    return (frozenset(pair) for pair in combinations(keys, 2))
